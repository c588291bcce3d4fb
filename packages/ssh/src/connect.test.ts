import { execFile, execFileSync } from 'node:child_process';
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AuthError, ConnectionError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connect } from './ssh2-transport.js';
import { startServer } from './testing/ssh2-server.js';
import { freePort, makeKey, startSshd, type TestSshd } from './testing/sshd.js';
import type { SshSettings } from './transport.js';

const run = promisify(execFile);
const ECHO = { name: 'echo', text: 'echo "$1"' };

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
}, 30_000);
afterAll(() => sshd[Symbol.asyncDispose]());

async function works(settings: SshSettings): Promise<void> {
  await using transport = await connect(settings);
  expect((await transport.run(ECHO, ['hello'])).stdout).toBe('hello\n');
}

async function failure(settings: SshSettings, signal?: AbortSignal): Promise<unknown> {
  const outcome = await connect(settings, signal === undefined ? {} : { signal }).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(Error);
  return outcome;
}

/** Runs with a TCP server that treats each connection in its own way. */
async function withTcp(onSocket: (socket: Socket) => void, use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await use(port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test('a key gets in', () => works(sshd.settings()));

test('a key with a passphrase gets in, and only with it', async () => {
  const path = join(sshd.dir, 'locked');
  await makeKey(path, 'ed25519', 'open sesame');
  await appendAuthorized(`${path}.pub`);
  await works(sshd.settings({ privateKeyPath: path, passphrase: 'open sesame' }));
  for (const passphrase of [undefined, '']) {
    const error = await failure(
      sshd.settings({ privateKeyPath: path, ...(passphrase === undefined ? {} : { passphrase }) }),
    );
    expect(error).toBeInstanceOf(AuthError);
    expect(String(error)).toContain(`${path} needs a passphrase; set ssh.passphrase`);
  }
  const wrong = await failure(sshd.settings({ privateKeyPath: path, passphrase: 'wrong one' }));
  expect(wrong).toBeInstanceOf(AuthError);
  expect(String(wrong)).toContain(`${path} cannot be unlocked; check ssh.passphrase`);
  expect(String(wrong)).not.toContain('wrong one');
});

async function appendAuthorized(publicKeyPath: string): Promise<void> {
  const authorized = join(sshd.dir, 'authorized_keys');
  await writeFile(authorized, (await readFile(authorized, 'utf8')) + (await readFile(publicKeyPath, 'utf8')));
}

test.each(['rsa', 'ecdsa'] as const)('an %s key gets in', async (algorithm) => {
  const path = join(sshd.dir, `client_${algorithm}`);
  await makeKey(path, algorithm);
  await appendAuthorized(`${path}.pub`);
  await works(sshd.settings({ privateKeyPath: path }));
});

test('a key file that is missing, no key, or the public half is an AuthError naming it', async () => {
  const missing = await failure(sshd.settings({ privateKeyPath: '/nowhere/key' }));
  expect(missing).toBeInstanceOf(AuthError);
  expect(String(missing)).toContain('/nowhere/key cannot be read');
  const path = join(sshd.dir, 'nonsense');
  await writeFile(path, 'nonsense');
  expect(String(await failure(sshd.settings({ privateKeyPath: path })))).toContain(`${path} is not a key`);
  const half = await failure(sshd.settings({ privateKeyPath: `${sshd.keyPath}.pub` }));
  expect(half).toBeInstanceOf(AuthError);
  expect(String(half)).toContain('is a public key');
});

test('a PEM key is told from a locked one', async () => {
  const path = join(sshd.dir, 'pem');
  await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'secret', '-f', path]);
  await appendAuthorized(`${path}.pub`);
  expect(String(await failure(sshd.settings({ privateKeyPath: path })))).toContain('needs a passphrase');
  await works(sshd.settings({ privateKeyPath: path, passphrase: 'secret' }));
});

test('an agent gets in; one that does not answer is named, and does not hinder the key', async () => {
  const agent = join(sshd.dir, 'agent.sock');
  const started = execFileSync('ssh-agent', ['-a', agent], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
  const { privateKeyPath, ...keyless } = sshd.settings();
  try {
    await chmod(sshd.keyPath, 0o600);
    await run('ssh-add', ['-q', privateKeyPath ?? ''], { env: { ...process.env, SSH_AUTH_SOCK: agent } });
    await works({ ...keyless, agent });
  } finally {
    process.kill(pid);
  }
  const error = await failure({ ...keyless, agent: '/nowhere/agent' });
  expect(error).toBeInstanceOf(AuthError);
  expect(String(error)).toMatch(/tried: agent \/nowhere\/agent \(.*\)/);
  await works(sshd.settings({ agent: '/nowhere/agent' }));
});

test('a key that is not let in is an AuthError with user, key and what the host accepts', async () => {
  const path = join(sshd.dir, 'stranger');
  await makeKey(path, 'ed25519');
  const error = await failure(sshd.settings({ privateKeyPath: path, password: 'hunter2' }));
  expect(error).toBeInstanceOf(AuthError);
  const fingerprint = execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1] ?? '';
  expect(String(error)).toContain(`user ${sshd.user} was not let in, tried: key ${path} ${fingerprint}`);
  expect(String(error)).toContain('the host accepts publickey');
  expect(String(error)).not.toContain('hunter2');
});

test('without any way to log in nothing is tried', async () => {
  const { privateKeyPath: _, ...keyless } = sshd.settings();
  expect(await failure({ ...keyless, password: '', agent: '' })).toBeInstanceOf(AuthError);
});

test('a host that hangs up on too many attempts is an AuthError', async () => {
  await using strict = await startSshd({ config: ['MaxAuthTries 1'] });
  const path = join(strict.dir, 'stranger');
  await makeKey(path, 'ed25519');
  expect(await failure(strict.settings({ privateKeyPath: path }))).toBeInstanceOf(AuthError);
});

test.each(['password', 'keyboard-interactive'] as const)(
  'a password gets in by %s, a wrong one does not',
  async (method) => {
    await using server = await startServer(sshd.dir, (login) => {
      if (login.method !== method) return login.reject([method]);
      if (login.method === 'password') return login.password === 'hunter2' ? login.accept() : login.reject([method]);
      if (login.method !== 'keyboard-interactive' || method !== login.method) return login.reject([method]);
      return login.prompt([{ prompt: 'Password: ', echo: false }], (answers) =>
        answers[0] === 'hunter2' ? login.accept() : login.reject([method]),
      );
    });
    const { host, port, knownHostsPath } = server;
    const settings = { host, port, user: 'deploy', knownHostsPath };
    await (await connect({ ...settings, password: 'hunter2' })).close();
    const error = await failure({ ...settings, password: 'hunter3' });
    expect(error).toBeInstanceOf(AuthError);
    expect(String(error)).toContain(method);
    expect(String(error)).not.toContain('hunter');
  },
);

test('an unknown host key is refused with type, fingerprint and the command that trusts it', async () => {
  for (const text of ['', `[127.0.0.1]:1 ${await publicKey('ed25519')}`]) {
    const path = join(sshd.dir, 'empty_known_hosts');
    await writeFile(path, text);
    const error = await failure(sshd.settings({ knownHostsPath: path }));
    if (!(error instanceof HostKeyError)) throw error;
    expect(error.retryable).toBe(false);
    expect(error.fingerprint).toBe(await fingerprintOf('ed25519'));
    expect(error.message).toContain(`127.0.0.1:${sshd.port}, ssh-ed25519 ${error.fingerprint}, is unknown`);
    expect(error.message).toContain(`rex hosts trust 127.0.0.1:${sshd.port}`);
  }
  expect(await failure(sshd.settings({ knownHostsPath: '/nowhere/known_hosts' }))).toBeInstanceOf(HostKeyError);
});

async function publicKey(algorithm: 'ed25519' | 'rsa' | 'ecdsa'): Promise<string> {
  return readFile(`${sshd.hostKeyPath(algorithm)}.pub`, 'utf8');
}

async function fingerprintOf(algorithm: 'ed25519' | 'rsa' | 'ecdsa'): Promise<string> {
  const { stdout } = await run('ssh-keygen', ['-lf', `${sshd.hostKeyPath(algorithm)}.pub`]);
  return stdout.split(' ')[1] ?? '';
}

test('a changed host key is refused with both fingerprints', async () => {
  const other = join(sshd.dir, 'other_host');
  await makeKey(other, 'ed25519');
  const path = join(sshd.dir, 'changed_known_hosts');
  await writeFile(path, `[127.0.0.1]:${sshd.port} ${await readFile(`${other}.pub`, 'utf8')}`);
  const error = await failure(sshd.settings({ knownHostsPath: path }));
  if (!(error instanceof HostKeyError)) throw error;
  const { stdout } = await run('ssh-keygen', ['-lf', other]);
  expect(error.message).toContain(`presents ssh-ed25519 ${await fingerprintOf('ed25519')}`);
  expect(error.message).toContain(`expected ${stdout.split(' ')[1]}`);
});

test('a revoked host key is refused', async () => {
  const path = join(sshd.dir, 'revoked_known_hosts');
  await writeFile(path, `@revoked * ${await publicKey('ed25519')}${await readFile(sshd.knownHostsPath, 'utf8')}`);
  const error = await failure(sshd.settings({ knownHostsPath: path }));
  expect(error).toBeInstanceOf(HostKeyError);
  expect(String(error)).toContain('@revoked');
});

test('a hashed known_hosts entry is trusted', async () => {
  const path = join(sshd.dir, 'hashed_known_hosts');
  await copyFile(sshd.knownHostsPath, path);
  await run('ssh-keygen', ['-H', '-f', path]);
  expect(await readFile(path, 'utf8')).not.toContain('127.0.0.1');
  await works(sshd.settings({ knownHostsPath: path }));
});

test.each(['rsa', 'ecdsa'] as const)('a host known by its %s key alone is asked for that key', async (algorithm) => {
  const path = join(sshd.dir, `${algorithm}_known_hosts`);
  await writeFile(path, `[127.0.0.1]:${sshd.port} ${await publicKey(algorithm)}`);
  await works(sshd.settings({ knownHostsPath: path }));
});

test('the cipher is aes128-gcm, whatever the host would prefer', async () => {
  await using chatty = await startSshd({ config: ['LogLevel DEBUG1', 'Ciphers aes256-ctr,aes128-gcm@openssh.com'] });
  await works(chatty.settings());
  expect(chatty.log()).toContain('client->server cipher: aes128-gcm@openssh.com');
});

test('a host that allows only post-quantum key exchange is told apart', async () => {
  await using modern = await startSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
  const error = await failure(modern.settings());
  expect(error).toBeInstanceOf(ConnectionError);
  expect(String(error)).toMatch(/no common key exchange.*post-quantum.*KexAlgorithms/);
});

test('a port nobody listens on is refused, which is worth another try', async () => {
  const error = await failure(sshd.settings({ port: await freePort() }));
  if (!(error instanceof ConnectionError)) throw error;
  expect(error.retryable).toBe(true);
  expect(error.message).toContain('connection refused while connecting');
});

test('a name that does not exist is a ConnectionError', async () => {
  const error = await failure(sshd.settings({ host: 'no-such-host.invalid' }));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(String(error)).toMatch(/name (not found|could not be resolved)/);
});

test('a server that says nothing runs into the connect time-out', () =>
  withTcp(
    () => {},
    async (port) => {
      const error = await failure(sshd.settings({ port, connectTimeoutMs: 100 }));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(String(error)).toContain('timed out after 100 ms while shaking hands');
    },
  ));

test.each<[string, (socket: Socket) => void]>([
  ['hangs up', (socket) => socket.end()],
  ['resets', (socket) => socket.resetAndDestroy()],
  ['speaks something else', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['stops after its banner', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
])('a server that %s is a ConnectionError', (_, onSocket) =>
  withTcp(onSocket, async (port) => {
    expect(await failure(sshd.settings({ port }))).toBeInstanceOf(ConnectionError);
  }),
);

test('an abort ends the attempt with its reason', () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  return withTcp(
    () => abort.abort(reason),
    async (port) => {
      expect(await failure(sshd.settings({ port }), abort.signal)).toBe(reason);
      expect(await failure(sshd.settings({ port }), abort.signal)).toBe(reason);
    },
  );
});

test('Nagle is off: with it, each command would wait for the delayed acknowledgement of the one before', async () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  await using transport = await connect(sshd.settings());
  expect(setNoDelay).toHaveBeenCalledWith(true);
  setNoDelay.mockRestore();
  expect((await transport.run(ECHO, ['said'])).stdout).toContain('said');
});
