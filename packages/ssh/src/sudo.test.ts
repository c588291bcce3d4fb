import { chmod, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { findProgram } from '@rexdeploy/sandbox/find-program';
import { makeKeyPair, writeKnownHosts } from '@rexdeploy/sandbox/keys';
import { type Sshd, startSshd } from '@rexdeploy/sandbox/sshd';
import { makeSudoUser, type SudoUser } from '@rexdeploy/sandbox/sudo-user';
import { CommandError, ConnectionError, SudoError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connect } from './ssh2-transport.js';
import { isRunning } from './testing/processes.js';
import { startSshd as startOwnSshd } from './testing/sshd.js';
import type { RemoteScript, RunOptions, SshSettings, Transport } from './transport.js';

/** A host that lets in a user who is not root, in a folder of its own. */
interface Host extends AsyncDisposable {
  sshd: Sshd;
  user: SudoUser;
  settings(changes?: Partial<SshSettings>): SshSettings;
}

async function startHost(allowed: boolean): Promise<Host> {
  const dir = await mkdtemp(join(tmpdir(), 'rex-sudo-'));
  // The user who logs in has to get to his key and his commands.
  await chmod(dir, 0o711);
  const binDir = join(dir, 'bin');
  const key = await makeKeyPair(join(dir, 'client'));
  await mkdir(join(dir, 'sudo'));
  const user = await makeSudoUser({ dir: join(dir, 'sudo'), binDir, allowed });
  const sshd = await startSshd({
    dir: join(dir, 'ssh'),
    address: '127.0.0.1',
    authorizedKeys: [key.line],
    binDir,
    sudoUser: user,
  });
  const knownHostsPath = join(dir, 'known_hosts');
  await writeKnownHosts(knownHostsPath, [{ address: sshd.address, port: sshd.port, keyLines: sshd.hostKeys }]);
  const login = {
    host: sshd.address,
    port: sshd.port,
    user: user.name,
    privateKeyPath: key.privateKey,
    knownHostsPath,
  };
  return {
    sshd,
    user,
    settings: (changes = {}) => ({ ...login, sudo: true, ...changes }),
    async [Symbol.asyncDispose]() {
      await sshd.kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

let host: Host;
let transport: Transport;
beforeAll(async () => {
  host = await startHost(true);
  transport = await connect(host.settings());
}, 30_000);
afterAll(async () => {
  await transport.close();
  await host[Symbol.asyncDispose]();
});

const script = (text: string): RemoteScript => ({ name: 'test', text });

/** Starts a command that prints a pid first, and hands over pid and promise. */
async function started(on: Transport, text: string, options: RunOptions = {}) {
  let tell: (pid: number) => void = () => {};
  const first = new Promise<number>((resolve) => (tell = resolve));
  const onLine = (line: string) => tell(Number(line));
  const outcome = on.run(script(text), [], { ...options, onLine }).catch((error: unknown) => error);
  return { pid: await first, outcome };
}

function ended(pid: number): Promise<void> {
  return vi.waitFor(async () => expect(await isRunning(pid)).toBe(false), { timeout: 30_000, interval: 10 });
}

test('scripts run as root, for the user who logged in; without it they run as that user', async () => {
  const { stdout } = await transport.run(script('echo "$(id -u) $SUDO_USER"'), []);
  const uid = host.user.isReal ? 0 : process.getuid?.();
  expect(stdout).toBe(`${uid} ${host.user.name}\n`);
  await using plain = await connect(host.settings({ sudo: false }));
  const own = await plain.run(script('echo "$(id -un) $SUDO_USER"'), []);
  expect(own.stdout).toBe(`${host.user.name} \n`);
});

test('arguments, stdin, both outputs and the exit code are those of the script', async () => {
  const args = ["it's", '$HOME', '', 'a\nb', '漢', '-n', '--'];
  const text = 'printf "%s|" "$0" "$@"; cat; echo oops >&2; exit 91';
  const result = await transport.run(script(text), args, { input: 'häns', okCodes: [91] });
  expect(result).toMatchObject({ code: 91, stderr: 'oops\n' });
  expect(result.stdout).toMatch(/^rex:test:[0-9a-f]{12}\|/);
  expect(result.stdout.split('|').slice(1)).toEqual([...args, 'häns']);
});

test('much input arrives unharmed', async () => {
  const piece = Buffer.alloc(256 * 1024, 'x');
  const { stdout } = await transport.run(script('wc -c'), [], { input: Readable.from(Array(64).fill(piece)) });
  expect(stdout.trim()).toBe(String(64 * piece.length));
});

test('an end by signal is a failure', async () => {
  const error: unknown = await transport.run(script('kill -KILL $$; :'), []).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CommandError);
});

test.each([
  ['a time-out', 'echo $$; sleep 1000; :'],
  ['a time-out, of what ignores TERM', 'trap "" TERM; echo $$; while :; do sleep 0.1; done'],
  ['a time-out, of what has closed its outputs', 'echo $$; exec > /dev/null 2>&1; sleep 1000; :'],
])('%s ends the command on the host', async (_, text) => {
  const { pid, outcome } = await started(transport, text, { timeoutMs: 300 });
  expect(await outcome).toMatchObject({ timedOut: true });
  await ended(pid);
});

test('what a command has started ends with it, and another run of the same script goes on', async () => {
  const abort = new AbortController();
  const stays = await started(transport, 'echo $$; read -r line', { input: new Readable({ read() {} }) });
  const goes = await started(transport, 'sleep 1000 & echo $!; wait', { signal: abort.signal });
  abort.abort();
  await goes.outcome;
  await ended(goes.pid);
  expect(await isRunning(stays.pid)).toBe(true);
  process.kill(stays.pid);
  await stays.outcome;
});

test('closing the connection ends what still runs on the host', async () => {
  const closing = await connect(host.settings());
  const { pid, outcome } = await started(closing, 'echo $$; sleep 1000; :');
  await closing.close();
  expect(await outcome).toBeInstanceOf(ConnectionError);
  await ended(pid);
});

test('a daemon that keeps stdout open does not hold up its starter, and lives on', async () => {
  const result = await transport.run(script('sleep 1000 & echo $!'), []);
  expect(result.durationMs).toBeLessThan(60_000);
  const pid = Number(result.stdout);
  expect(await isRunning(pid)).toBe(true);
  process.kill(pid);
});

test('a sudo that wants a password is told before anything runs, with the line that is missing', async () => {
  await using strict = await startHost(false);
  const error: unknown = await connect(strict.settings()).catch((error: unknown) => error);
  if (!(error instanceof SudoError)) throw error;
  expect(error.retryable).toBe(false);
  expect(error.message).toContain(`127.0.0.1:${strict.sshd.port}: sudo does not let user ${strict.user.name}`);
  expect(error.message).toContain('a password is required');
  expect(error.message).toContain(`\`${strict.user.name} ALL=(root) NOPASSWD: ALL\``);
  await vi.waitFor(() => expect(strict.sshd.sessions()).toEqual([]), { timeout: 30_000, interval: 10 });
});

test('a host without sudo is told', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rex-no-sudo-'));
  try {
    for (const program of ['sh', 'id']) await symlink(findProgram(program), join(dir, program));
    await using bare = await startOwnSshd({ config: [`SetEnv SHLVL=1 PATH=${dir}`] });
    const error: unknown = await connect(bare.settings({ sudo: true })).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(SudoError);
    expect(String(error)).toContain(`there is no sudo on the PATH of user ${bare.user}`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
