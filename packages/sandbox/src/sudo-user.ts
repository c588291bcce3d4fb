/**
 * A user who is not root and may, or may not, become root with sudo: known to one sshd alone. The machine gets neither a
 * user nor a line in its sudoers; the files that say so lie in the sandbox and cover those of /etc in that sshd's own
 * mount namespace. Where no namespace can be made (only root can, and not in every container) a stand-in for sudo, first
 * on the PATH, checks its words and runs the rest as the user who is there: nobody becomes root, all else is the same.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.js';

const NAME = 'rexsudo';
const ID = 61_234;
/** Replaces /etc/<name> for the sshd; the owner's rights alone for what holds secrets, as sudo and PAM want it. */
const FILES = { passwd: 0o644, group: 0o644, shadow: 0o600, sudoers: 0o440 } as const;
/** The line of root in /etc/passwd, up to the home directory and its colon. */
const ROOT_HOME = /^(root:(?:[^:]*:){4})[^:]*:/m;
const COVER =
  'for file in passwd group shadow sudoers; do mount --bind "$0/$file" "/etc/$file" || exit 1; done; exec "$@"';

export interface SudoUser {
  readonly name: string;
  /** True where sudo is the real one, and root really root. */
  readonly isReal: boolean;
  /** Words to put before the command line of the sshd that is to know the user. */
  readonly within: readonly string[];
}

export interface SudoUserOptions {
  /** For its files. */
  dir: string;
  /** Comes first on the PATH of what is run over SSH, with sudo and without. */
  binDir: string;
  /** False: sudo wants a password. */
  allowed?: boolean;
}

export async function makeSudoUser(options: SudoUserOptions): Promise<SudoUser> {
  await mkdir(options.binDir, { recursive: true });
  return canCover() ? makeReal(options) : makeStandIn(options);
}

function canCover(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
}

async function makeReal({ dir, binDir, allowed = true }: SudoUserOptions): Promise<SudoUser> {
  findProgram('sudo');
  const home = join(dir, 'home');
  await mkdir(home, { recursive: true });
  await chown(home, ID, ID);
  const rootHome = join(dir, 'root');
  await mkdir(rootHome, { recursive: true });
  const texts: Record<keyof typeof FILES, string> = {
    // Root's home is another one as well: what is run there as root must not leave anything in that of the machine.
    passwd: withLine('/etc/passwd', `${NAME}:x:${ID}:${ID}::${home}:/bin/sh`).replace(ROOT_HOME, `$1${rootHome}:`),
    group: withLine('/etc/group', `${NAME}:x:${ID}:`),
    // `*`: no password, and yet not locked, or sshd would let nobody in.
    shadow: withLine('/etc/shadow', `${NAME}:*:19000:0:99999:7:::`),
    sudoers: [
      'Defaults env_reset, use_pty',
      `Defaults secure_path="${binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"`,
      // What a command leaves running is found by this variable; see mark.ts.
      'Defaults env_keep += "REX_SANDBOX"',
      'Defaults !syslog',
      ...(allowed ? [`${NAME} ALL=(root) NOPASSWD: ALL`] : [`${NAME} ALL=(root) ALL`]),
      '',
    ].join('\n'),
  };
  for (const [file, mode] of Object.entries(FILES)) {
    await writeFile(join(dir, file), texts[file as keyof typeof FILES]);
    await chmod(join(dir, file), mode);
  }
  return { name: NAME, isReal: true, within: [findProgram('unshare'), '-m', findProgram('sh'), '-c', COVER, dir] };
}

function withLine(file: string, line: string): string {
  return `${readFileSync(file, 'utf8').trimEnd()}\n${line}\n`;
}

async function makeStandIn({ binDir, allowed = true }: SudoUserOptions): Promise<SudoUser> {
  const then = allowed ? 'exec env SUDO_USER="$(id -un)" "$@"' : 'echo "sudo: a password is required" >&2; exit 1';
  const text = `#!/bin/sh
[ "$1 $2 $3" = '-n -H --' ] || { echo "sudo: unexpected words: $1 $2 $3" >&2; exit 1; }
shift 3
${then}
`;
  await writeFile(join(binDir, 'sudo'), text, { mode: 0o755 });
  return { name: userInfo().username, isReal: false, within: [] };
}
