import { ConnectionError } from '@rexdeploy/shared/errors/host-errors';
import { expect, test } from 'vitest';
import { Connections } from './connections.js';
import { FakeTransport } from './testing/fake-transport.js';
import type { JumpTransport, SshSettings } from './transport.js';

const settings = (host: string, changes: Partial<SshSettings> = {}): SshSettings => ({
  host,
  port: 22,
  user: 'deploy',
  knownHostsPath: '/nowhere',
  ...changes,
});

function counting() {
  const opened: string[] = [];
  const connections = new Connections(async ({ host }) => {
    opened.push(host);
    return new FakeTransport(host);
  });
  return { opened, connections };
}

test('callers at the same time share one attempt, later ones the connection', async () => {
  const { opened, connections } = counting();
  const [one, two] = await Promise.all([connections.get(settings('a')), connections.get(settings('a'))]);
  expect(two).toBe(one);
  expect(await connections.get(settings('a'))).toBe(one);
  expect(opened).toEqual(['a']);
});

test('another host, port or user is another connection', async () => {
  const { opened, connections } = counting();
  await connections.get(settings('a'));
  await connections.get(settings('a', { port: 2222 }));
  await connections.get(settings('a', { user: 'root' }));
  await connections.get(settings('b'));
  expect(opened).toEqual(['a', 'a', 'a', 'b']);
});

test('a dead connection is replaced once, for all who ask', async () => {
  const { opened, connections } = counting();
  const dead = await connections.get(settings('a'));
  await dead.close();
  const [one, two] = await Promise.all([connections.get(settings('a')), connections.get(settings('a'))]);
  expect(one).not.toBe(dead);
  expect(two).toBe(one);
  expect(opened).toEqual(['a', 'a']);
});

test('a failed attempt is not remembered', async () => {
  let calls = 0;
  const connections = new Connections(async ({ host }) => {
    calls += 1;
    if (calls === 1) throw new ConnectionError({ host, what: 'refused' });
    return new FakeTransport(host);
  });
  await expect(connections.get(settings('a'))).rejects.toThrow('refused');
  expect((await connections.get(settings('a'))).alive).toBe(true);
});

test('a caller who gives up leaves the attempt to the others', async () => {
  let open: (transport: JumpTransport) => void = () => {};
  const connections = new Connections(() => new Promise((resolve) => (open = resolve)));
  const abort = new AbortController();
  const impatient = connections.get(settings('a'), { signal: abort.signal });
  const patient = connections.get(settings('a'));
  abort.abort(new Error('enough'));
  await expect(impatient).rejects.toThrow('enough');
  open(new FakeTransport('a'));
  expect((await patient).host).toBe('a');
});

test('the end closes what is open, gives up what is opening, and is final', async () => {
  const opened: JumpTransport[] = [];
  const connections = new Connections(async ({ host }, { signal }) => {
    if (host === 'slow')
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const transport = new FakeTransport(host);
    opened.push(transport);
    return transport;
  });
  await connections.get(settings('a'));
  const slow = expect(connections.get(settings('slow'))).rejects.toThrow(/closed/);
  await connections.closeAll();
  await slow;
  expect(opened.map((each) => each.alive)).toEqual([false]);
  await expect(connections.get(settings('a'))).rejects.toThrow(/closed/);
  await connections.closeAll();
});

test('all that go through one jump host share the connection to it, and a direct one is another', async () => {
  const opened: string[] = [];
  const connections = new Connections(async ({ host }, { jump }) => {
    opened.push(jump === undefined ? host : `${host} through ${jump.host}`);
    return new FakeTransport(host);
  });
  const gate = settings('gate');
  await Promise.all([connections.get(settings('a', { via: gate })), connections.get(settings('b', { via: gate }))]);
  await connections.get(settings('a'));
  await connections.get(settings('c', { via: settings('inner', { via: gate }) }));
  await connections.get(settings('a', { sudo: true }));
  expect(opened.sort()).toEqual([
    'a',
    'a',
    'a through gate',
    'b through gate',
    'c through inner',
    'gate',
    'inner through gate',
  ]);
});

test('a jump host that died is replaced with the connections through it', async () => {
  const opened: FakeTransport[] = [];
  const connections = new Connections(async ({ host }) => {
    const transport = new FakeTransport(host);
    opened.push(transport);
    return transport;
  });
  const behind = settings('a', { via: settings('gate') });
  await connections.get(behind);
  for (const each of opened) await each.close();
  expect((await connections.get(behind)).alive).toBe(true);
  expect(opened.map((each) => each.host)).toEqual(['gate', 'a', 'gate', 'a']);
});

test('a jump host that cannot be reached is told as one, once', async () => {
  const connections = new Connections(async ({ host }) => {
    throw new ConnectionError({ host, what: 'refused' });
  });
  const behind = settings('a', { via: settings('inner', { via: settings('gate') }) });
  await expect(connections.get(behind)).rejects.toThrow(/^jump host gate: refused$/);
  await expect(connections.get(settings('gate'))).rejects.toThrow(/^gate: refused$/);
});

test('a jump host is closed after what goes through it', async () => {
  const closed: string[] = [];
  const connections = new Connections(async ({ host }) => {
    const transport = new FakeTransport(host);
    transport.close = async () => {
      closed.push(host);
    };
    return transport;
  });
  await connections.get(settings('a', { via: settings('inner', { via: settings('gate') }) }));
  await connections.closeAll();
  expect(closed).toEqual(['a', 'inner', 'gate']);
});
