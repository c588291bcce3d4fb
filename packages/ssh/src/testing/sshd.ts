import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SshSettings } from '../transport.js';
import { descendants } from './processes.js';

const run = promisify(execFile);

export type KeyAlgorithm = 'ed25519' | 'ecdsa' | 'rsa';

/** A real OpenSSH server of its own, for tests; disposing ends it with all its sessions and removes its folder. */
export interface TestSshd extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Temporary folder of this server; free for a test's own files. */
  readonly dir: string;
  /** Private key that is let in; `.pub` beside it. */
  readonly keyPath: string;
  /** known_hosts with the server's keys. */
  readonly knownHostsPath: string;
  /** Path of a host key's private half; `.pub` beside it. */
  hostKeyPath(algorithm: KeyAlgorithm): string;
  /** Settings that get in, with changes. */
  settings(changes?: Partial<SshSettings>): SshSettings;
  /** Pids of the processes that serve sessions. */
  sessions(): Promise<number[]>;
  /** What the server has logged so far. */
  log(): string;
}

export interface TestSshdOptions {
  hostKeys?: readonly KeyAlgorithm[];
  /** Further lines of sshd_config. */
  config?: readonly string[];
}

/** Starts an sshd for the current user on a free loopback port. */
export async function startSshd(options: TestSshdOptions = {}): Promise<TestSshd> {
  const algorithms = options.hostKeys ?? ['ed25519'];
  const dir = await mkdtemp(join(tmpdir(), 'rex-sshd-'));
  const keyPath = join(dir, 'client');
  const hostKeyPath = (algorithm: KeyAlgorithm) => join(dir, `host_${algorithm}`);
  await Promise.all([
    makeKey(keyPath, 'ed25519'),
    ...algorithms.map((algorithm) => makeKey(hostKeyPath(algorithm), algorithm)),
  ]);
  await writeFile(join(dir, 'authorized_keys'), await readFile(`${keyPath}.pub`));
  // The privilege separation directory is compiled in and missing where no sshd was ever started.
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const lines = [
    // First, because the first value of an option counts.
    ...(options.config ?? []),
    'ListenAddress 127.0.0.1',
    ...algorithms.map((algorithm) => `HostKey ${hostKeyPath(algorithm)}`),
    `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'LogLevel VERBOSE',
    // Debian's bash reads ~/.bashrc for every command of a session, unless it finds itself below another shell; what
    // stands there is not for a test to measure.
    'SetEnv SHLVL=1',
  ];
  await writeFile(join(dir, 'sshd_config'), `${lines.join('\n')}\n`);
  const server = await listen(join(dir, 'sshd_config'));
  const host = '127.0.0.1';
  const knownHostsPath = join(dir, 'known_hosts');
  const publicKeys = await Promise.all(algorithms.map((each) => readFile(`${hostKeyPath(each)}.pub`, 'utf8')));
  await writeFile(knownHostsPath, publicKeys.map((key) => `[${host}]:${server.port} ${key}`).join(''));
  const user = userInfo().username;
  return {
    host,
    port: server.port,
    user,
    dir,
    keyPath,
    knownHostsPath,
    hostKeyPath,
    settings: (changes = {}) => ({
      host,
      port: server.port,
      user,
      privateKeyPath: keyPath,
      knownHostsPath,
      ...changes,
    }),
    sessions: () => descendants(server.process.pid),
    log: () => server.log(),
    async [Symbol.asyncDispose]() {
      await stop(server.process);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Makes a key pair with ssh-keygen. */
export async function makeKey(path: string, algorithm: KeyAlgorithm, passphrase = ''): Promise<void> {
  const size = algorithm === 'rsa' ? ['-b', '2048'] : [];
  await run('ssh-keygen', ['-q', '-t', algorithm, ...size, '-N', passphrase, '-C', 'test', '-f', path]);
}

/** A loopback port nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Listening {
  readonly process: ChildProcess;
  readonly port: number;
  log(): string;
}

async function listen(configPath: string): Promise<Listening> {
  let log = '';
  // Another process may take the port between finding it and listening on it.
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const port = await freePort();
    const process = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', configPath, '-p', String(port)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const started = await new Promise<boolean>((resolve, reject) => {
      process.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes(`Server listening on 127.0.0.1 port ${port}.`)) resolve(true);
      });
      process.once('error', reject);
      process.once('exit', () => resolve(false));
    });
    if (started) return { process, port, log: () => log };
  }
  throw new Error(`sshd did not start: ${log}`);
}

async function stop(server: ChildProcess): Promise<void> {
  const sessions = await descendants(server.pid);
  const exited = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined;
  server.kill('SIGKILL');
  for (const pid of sessions) endProcess(pid);
  await exited;
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
