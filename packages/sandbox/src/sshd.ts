/** A real sshd on one loopback address, with host keys and authorised users of its own. */
import { mkdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.js';
import { type KeyPair, makeKeyPair } from './keys.js';
import { findFreePort } from './ports.js';
import { childrenOf, descendantsOf, isAlive, signalProcess } from './proc.js';
import { type Child, startChild } from './process.js';
import type { SudoUser } from './sudo-user.js';

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SshdOptions {
  /** Its keys, configuration and log go here. */
  dir: string;
  address: string;
  /** The public keys that may log in, as the user that runs this process. */
  authorizedKeys: readonly string[];
  /** Comes first on the PATH of everything run over SSH, so that a host can have commands of its own. */
  binDir: string;
  /** Further variables for everything run over SSH. */
  env?: Readonly<Record<string, string>>;
  /** Also an RSA host key. */
  rsa?: boolean;
  /** Also lets in a user who is not root; see sudo-user.ts. */
  sudoUser?: SudoUser | undefined;
}

export interface Sshd {
  readonly address: string;
  readonly port: number;
  readonly logFile: string;
  /** Public host keys, `ssh-ed25519 AAAA…`. */
  readonly hostKeys: readonly string[];
  isRunning(): boolean;
  /** One process per open connection. */
  sessions(): number[];
  /** Ends the open connections (with what runs in them) and goes on listening. */
  dropSessions(): Promise<void>;
  /** Ends it and every connection; what was started in a session of its own goes on. */
  stop(): Promise<void>;
  /** The same without notice, as when the host loses power. */
  kill(): Promise<void>;
  /** On the same port with the same keys; stops it first when it runs. */
  restart(): Promise<void>;
  /** Keeps connections open but answers nothing, as a hung host does. */
  freeze(): void;
  thaw(): void;
}

export async function startSshd(options: SshdOptions): Promise<Sshd> {
  await mkdir(options.dir, { recursive: true });
  await mkdir(options.binDir, { recursive: true });
  const keys = await Promise.all([
    makeKeyPair(join(options.dir, 'host_ed25519')),
    ...(options.rsa === true ? [makeKeyPair(join(options.dir, 'host_rsa'), 'rsa')] : []),
  ]);
  // sshd reads it as the user who logs in.
  const mode = options.sudoUser === undefined ? 0o600 : 0o644;
  await writeFile(join(options.dir, 'authorized_keys'), `${options.authorizedKeys.join('\n')}\n`, { mode });

  let lastError: unknown;
  // Between finding a port and listening on it, another program may take it.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const port = await findFreePort(options.address);
    await writeFile(join(options.dir, 'sshd_config'), configText(options, port, keys));
    try {
      return new LocalSshd(options, port, keys, await run(options, port));
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

class LocalSshd implements Sshd {
  readonly address: string;
  readonly logFile: string;
  readonly hostKeys: readonly string[];
  #child: Child;

  constructor(
    readonly options: SshdOptions,
    readonly port: number,
    keys: readonly KeyPair[],
    child: Child,
  ) {
    this.address = options.address;
    this.logFile = logFileOf(options);
    this.hostKeys = keys.map((key) => key.line);
    this.#child = child;
  }

  isRunning(): boolean {
    return this.#child.isRunning();
  }

  sessions(): number[] {
    return childrenOf(this.#child.pid).filter(isAlive);
  }

  async dropSessions(): Promise<void> {
    for (const pid of descendantsOf(this.#child.pid)) signalProcess(pid, 'SIGKILL');
  }

  async stop(): Promise<void> {
    const sessions = descendantsOf(this.#child.pid);
    await this.#child.stop();
    for (const pid of sessions) {
      signalProcess(pid, 'SIGTERM');
      signalProcess(pid, 'SIGCONT');
    }
    await this.#sweep(sessions);
  }

  async kill(): Promise<void> {
    const sessions = descendantsOf(this.#child.pid);
    for (const pid of sessions) signalProcess(pid, 'SIGKILL');
    await this.#child.kill();
    await this.#sweep(sessions);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#child = await run(this.options, this.port);
  }

  freeze(): void {
    this.#signalAll('SIGSTOP');
  }

  thaw(): void {
    this.#signalAll('SIGCONT');
  }

  #signalAll(signal: NodeJS.Signals): void {
    for (const pid of [this.#child.pid, ...descendantsOf(this.#child.pid)]) signalProcess(pid, signal);
  }

  /** A command that ignores TERM would hold its files open for ever. */
  async #sweep(sessions: readonly number[]): Promise<void> {
    const deadline = Date.now() + 2000;
    while (sessions.some(isAlive) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const pid of sessions) signalProcess(pid, 'SIGKILL');
  }
}

function run(options: SshdOptions, port: number): Promise<Child> {
  // Started as root, sshd wants this folder; the system makes it at boot, a container may not have it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const words = [findProgram('sshd'), '-D', '-f', join(options.dir, 'sshd_config'), '-E', logFileOf(options)];
  const [command = '', ...args] = [...(options.sudoUser?.within ?? []), ...words];
  return startChild({
    name: `sshd ${options.address}:${port}`,
    command,
    args,
    ready: { address: options.address, port },
    explain: () => readIfThere(logFileOf(options)),
  });
}

function logFileOf(options: SshdOptions): string {
  return join(options.dir, 'sshd.log');
}

function configText(options: SshdOptions, port: number, keys: readonly KeyPair[]): string {
  const env = { PATH: `${options.binDir}:${SYSTEM_PATH}`, ...options.env };
  return [
    `ListenAddress ${options.address}:${port}`,
    ...keys.map((key) => `HostKey "${key.privateKey}"`),
    `AuthorizedKeysFile "${join(options.dir, 'authorized_keys')}"`,
    // bash takes a shell started by sshd at the lowest level for a log-in and reads root's .bashrc for every command.
    `SetEnv ${Object.entries({ SHLVL: '1', ...env })
      .map(([key, value]) => `"${key}=${value}"`)
      .join(' ')}`,
    `UsePAM ${isRootLocked() ? 'yes' : 'no'}`,
    'PidFile none',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'MaxSessions 100',
    'MaxStartups 100',
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

/** sshd refuses a locked account (`!` as its password) unless PAM decides; sudo-only systems lock root so. */
function isRootLocked(): boolean {
  if (process.getuid?.() !== 0) return false;
  return /^root:!/m.test(readIfThere('/etc/shadow'));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
