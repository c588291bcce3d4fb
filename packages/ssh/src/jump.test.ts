import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ConnectionError, HostKeyError } from '@rexdeploy/shared/errors/host-errors';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Connections } from './connections.js';
import { fingerprint } from './host-key.js';
import { freePort, startSshd, type TestSshd } from './testing/sshd.js';
import type { RemoteScript, SshSettings, Transport } from './transport.js';
import { fetchHostKeys } from './trust.js';

let gate: TestSshd;
let target: TestSshd;
beforeAll(async () => {
  [gate, target] = await Promise.all([startSshd(), startSshd()]);
}, 30_000);
afterAll(async () => {
  await gate[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

const script = (text: string): RemoteScript => ({ name: 'test', text });
const place = (sshd: TestSshd): string => `127.0.0.1:${sshd.port}`;
const behind = (changes: Partial<SshSettings> = {}): SshSettings =>
  target.settings({ via: gate.settings(), ...changes });

/** What came of asking for a connection. */
async function failure(settings: SshSettings, signal?: AbortSignal): Promise<Error> {
  await using connections = new Connections();
  const asked: Promise<Transport> = connections.get(settings, signal === undefined ? {} : { signal });
  const outcome: unknown = await asked.catch((error: unknown) => error);
  if (!(outcome instanceof Error)) throw new Error('it was let through');
  return outcome;
}

test('commands run on the target, over one connection to the jump host for all', async () => {
  await using connections = new Connections();
  const [one, two] = await Promise.all([
    connections.get(behind()),
    // The same machine under a name of its own: a second target.
    connections.get(behind({ host: 'localhost', knownHostsPath: await namedLocalhost() })),
  ]);
  const port = async (on: Transport) => (await on.run(script('echo "${SSH_CONNECTION##* }"'), [])).stdout.trim();
  expect(await port(one)).toBe(String(target.port));
  expect(await port(two)).toBe(String(target.port));
  expect(gate.log().match(/Accepted publickey/g)).toHaveLength(1);
  await connections.closeAll();
  await vi.waitFor(async () => expect(await gate.sessions()).toEqual([]), { timeout: 30_000, interval: 10 });
  expect(await target.sessions()).toEqual([]);
});

async function namedLocalhost(): Promise<string> {
  const path = join(target.dir, 'localhost_known_hosts');
  const text = await readFile(target.knownHostsPath, 'utf8');
  await writeFile(path, text.replace('[127.0.0.1]', '[localhost]'));
  return path;
}

test('much data goes through in both directions', async () => {
  await using connections = new Connections();
  const transport = await connections.get(behind());
  const piece = Buffer.alloc(256 * 1024, 'x');
  const input = Readable.from(Array(64).fill(piece));
  const { stdout } = await transport.run(script('cat'), [], { input, maxOutputBytes: 64 * piece.length });
  expect(stdout.length).toBe(64 * piece.length);
});

test('several jump hosts are gone through in their order', async () => {
  await using inner = await startSshd();
  await using connections = new Connections();
  const transport = await connections.get(behind({ via: inner.settings({ via: gate.settings() }) }));
  expect((await transport.run(script('echo ok'), [])).stdout).toBe('ok\n');
  expect(inner.log()).toContain('Accepted publickey');
});

test('each host is checked under its own name', async () => {
  const wrong = join(target.dir, 'wrong_known_hosts');
  // The keys of both, each under the name of the other one.
  const swapped = async (sshd: TestSshd, other: TestSshd) =>
    (await readFile(sshd.knownHostsPath, 'utf8')).replace(`:${sshd.port}`, `:${other.port}`);
  await writeFile(wrong, (await swapped(gate, target)) + (await swapped(target, gate)));
  const atGate = await failure(behind({ via: gate.settings({ knownHostsPath: wrong }) }));
  expect(atGate).toBeInstanceOf(HostKeyError);
  expect(atGate.message).toMatch(new RegExp(`^jump host ${place(gate)}: the host key of ${place(gate)} has changed`));
  const atTarget = await failure(behind({ knownHostsPath: wrong }));
  expect(atTarget).toBeInstanceOf(HostKeyError);
  expect(atTarget.message).toMatch(new RegExp(`^${place(target)}: the host key of ${place(target)} has changed`));
});

test('a jump host that is not trusted is told with the command that trusts it', async () => {
  const error = await failure(behind({ via: gate.settings({ knownHostsPath: '/nowhere/known_hosts' }) }));
  expect(error).toBeInstanceOf(HostKeyError);
  expect(error.message).toContain(`jump host ${place(gate)}`);
  expect(error.message).toContain(`rex hosts trust ${place(gate)}`);
});

test('a jump host that does not answer is told as one', async () => {
  const port = await freePort();
  const error = await failure(behind({ via: gate.settings({ port }) }));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error.message).toContain(`jump host 127.0.0.1:${port}: connection refused`);
});

test('a target that the jump host cannot connect to is told, with both', async () => {
  const port = await freePort();
  const error = await failure(behind({ port }));
  if (!(error instanceof ConnectionError)) throw error;
  expect(error.retryable).toBe(true);
  expect(error.message).toContain(`127.0.0.1:${port}: jump host ${place(gate)} did not connect to it`);
});

test('a jump host that may not forward is told with the option that forbids it', async () => {
  await using strict = await startSshd({ config: ['AllowTcpForwarding no'] });
  const error = await failure(behind({ via: strict.settings() }));
  expect(error).toBeInstanceOf(ConnectionError);
  expect(error.message).toContain(`AllowTcpForwarding and PermitOpen in the sshd_config of ${place(strict)}`);
});

test('a target that says nothing runs into the connect time-out, and an abort ends the attempt', async () => {
  const silent = createServer();
  const accepted = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  try {
    const abort = new AbortController();
    const reason = new Error('enough');
    const aborted = failure(behind({ port }), abort.signal);
    await accepted;
    abort.abort(reason);
    expect(await aborted).toBe(reason);
    const error = await failure(behind({ port, connectTimeoutMs: 300 }));
    expect(error.message).toContain(`127.0.0.1:${port}: timed out after 300 ms while shaking hands`);
  } finally {
    silent.close();
  }
});

test('a jump host that dies ends what goes through it, and is told; the next call goes through it again', async () => {
  await using connections = new Connections();
  const transport = await connections.get(behind());
  let pid = 0;
  const running = transport.run(script('echo $$; sleep 1000; :'), [], {
    onLine: (line) => {
      pid = Number(line);
      void killSessions(gate);
    },
  });
  const error: unknown = await running.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ConnectionError);
  expect(String(error)).toContain(`${place(target)}: jump host ${place(gate)} is gone`);
  expect(transport.alive).toBe(false);
  process.kill(-pid);
  const again = await connections.get(behind());
  expect((await again.run(script('echo ok'), [])).stdout).toBe('ok\n');
});

async function killSessions(sshd: TestSshd): Promise<void> {
  for (const pid of await sshd.sessions()) process.kill(pid, 'SIGKILL');
}

test('a host behind a jump host is asked for its own keys', async () => {
  await using connections = new Connections();
  const jump = await connections.getJump(gate.settings());
  const keys = await fetchHostKeys(target.host, target.port, { jump });
  const known = (await readFile(target.knownHostsPath, 'utf8')).split(' ')[2] ?? '';
  expect(keys.map((key) => fingerprint(key.blob))).toEqual([fingerprint(Buffer.from(known, 'base64'))]);
});
