import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import type { ServerChannel } from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Connections } from './connections.js';
import { connect } from './ssh2-transport.js';
import { startServer } from './testing/ssh2-server.js';
import { startSshd, type TestSshd } from './testing/sshd.js';
import type { RunOptions, Transport } from './transport.js';

const SLEEP = { name: 'sleep', text: 'echo begun; sleep 1000' };

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
}, 30_000);
afterAll(() => sshd[Symbol.asyncDispose]());

/** Starts a command that does not end, and resolves once it runs. */
async function running(transport: Transport, options: RunOptions = {}): Promise<{ outcome: Promise<unknown> }> {
  let begun: () => void = () => {};
  const first = new Promise<void>((resolve) => (begun = resolve));
  const outcome = transport.run(SLEEP, [], { ...options, onLine: () => begun() }).catch((error: unknown) => error);
  await first;
  return { outcome };
}

async function signalSessions(signal: NodeJS.Signals): Promise<void> {
  for (const pid of await sshd.sessions()) process.kill(pid, signal);
}

function lost(error: unknown, words: RegExp): void {
  if (!(error instanceof ConnectionError)) throw error;
  expect(error.retryable).toBe(true);
  expect(error.message).toMatch(words);
}

test('a connection cut in the middle fails all its commands at once, never as success', async () => {
  await using transport = await connect(sshd.settings());
  const commands = await Promise.all([running(transport), running(transport), running(transport)]);
  await signalSessions('SIGKILL');
  for (const { outcome } of commands) lost(await outcome, /closed|reset|cut/);
  expect(transport.alive).toBe(false);
  const late: unknown = await transport.run(SLEEP, []).catch((error: unknown) => error);
  lost(late, /closed|reset/);
});

test('a host that falls silent is noticed by keep-alive', async () => {
  const transport = await connect(sshd.settings({ keepaliveMs: 50 }));
  const { outcome } = await running(transport);
  await signalSessions('SIGSTOP');
  lost(await outcome, /silent for 0.2 s/);
  expect(transport.alive).toBe(false);
  await transport.close();
  await signalSessions('SIGKILL');
});

test('a host that answers keep-alive stays connected while nothing is said', async () => {
  await using transport = await connect(sshd.settings({ keepaliveMs: 20 }));
  const result = await transport.run({ name: 'quiet', text: 'sleep 0.5' }, []);
  expect(result.code).toBe(0);
  expect(transport.alive).toBe(true);
});

test('a time-out and an abort reject promptly though the host is silent', async () => {
  const transport = await connect(sshd.settings());
  const abort = new AbortController();
  const aborted = await running(transport, { signal: abort.signal });
  await signalSessions('SIGSTOP');
  // Not even the channel opens any more.
  const late: unknown = await transport.run(SLEEP, [], { timeoutMs: 100 }).catch((error: unknown) => error);
  expect(late).toMatchObject({ code: 'command', timedOut: true });
  abort.abort();
  expect(await aborted.outcome).toMatchObject({ code: 'command', timedOut: false });
  await signalSessions('SIGKILL');
  await transport.close();
});

test('closing fails what runs, and may be asked for twice', async () => {
  const transport = await connect(sshd.settings());
  const { outcome } = await running(transport);
  await Promise.all([transport.close(), transport.close()]);
  lost(await outcome, /the connection was closed/);
  await transport.close();
});

test('connections are opened once, and anew after a cut', async () => {
  await using connections = new Connections();
  const [one, two] = await Promise.all([connections.get(sshd.settings()), connections.get(sshd.settings())]);
  expect(two).toBe(one);
  const { outcome } = await running(one);
  await signalSessions('SIGKILL');
  await outcome;
  const again = await connections.get(sshd.settings());
  expect(again).not.toBe(one);
  expect((await again.run({ name: 'ok', text: 'echo ok' }, [])).stdout).toBe('ok\n');
});

test('a channel that closes without exit code or signal is a ConnectionError', async () => {
  const channels: ServerChannel[] = [];
  await using server = await startServer(
    sshd.dir,
    (login) => login.accept(),
    (connection) =>
      connection.on('session', (accept) =>
        accept().on('exec', (acceptExec) => {
          const channel = acceptExec();
          channels.push(channel);
          channel.write('some');
          channel.end();
        }),
      ),
  );
  const { host, port, knownHostsPath } = server;
  await using transport = await connect({ host, port, user: 'deploy', password: 'x', knownHostsPath });
  const error: unknown = await transport.run(SLEEP, []).catch((thrown: unknown) => thrown);
  lost(error, /ended without an exit code/);
  expect(channels).toHaveLength(1);
});

test('a command that is refused is a ConnectionError', async () => {
  await using server = await startServer(
    sshd.dir,
    (login) => login.accept(),
    (connection) => connection.on('session', (accept) => accept().on('exec', (_accept, reject) => reject())),
  );
  const { host, port, knownHostsPath } = server;
  await using transport = await connect({ host, port, user: 'deploy', password: 'x', knownHostsPath });
  lost(await transport.run(SLEEP, []).catch((thrown: unknown) => thrown), /could not be started/);
});
