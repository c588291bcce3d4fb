import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { Connections } from './connections.js';
import { IdleConnections } from './idle-connections.js';
import { FakeTransport } from './testing/fake-transport.js';
import type { SshSettings } from './transport.js';

class Resting extends FakeTransport {
  readonly idle = true;
  isSilent = false;
  constructor() {
    super('a');
  }
  async answers(): Promise<boolean> {
    return !this.isSilent;
  }
  override run = async () => ({ code: 0, stdout: '', stderr: '', durationMs: 0 });
}

const folder = mkdtempSync(join(tmpdir(), 'rex-idle-'));
const knownHostsPath = join(folder, 'known_hosts');
writeFileSync(knownHostsPath, 'a ssh-ed25519 AAAA\n');
const settings: SshSettings = { host: 'a', port: 22, user: 'deploy', knownHostsPath };
afterEach(() => vi.useRealTimers());
afterAll(() => rmSync(folder, { recursive: true }));

const kept = (idle: IdleConnections, count: number): Resting[] =>
  Array.from({ length: count }, () => {
    const transport = new Resting();
    expect(idle.keep(settings, transport)).toBe(true);
    return transport;
  });

test('the newest is taken first, and each once', async () => {
  await using idle = new IdleConnections();
  const [older, newer] = kept(idle, 2);
  expect(await idle.take(settings)).toBe(newer);
  expect(await idle.take(settings)).toBe(older);
  expect(await idle.take(settings)).toBeUndefined();
});

test('one that is silent takes the others to its host with it', async () => {
  await using idle = new IdleConnections();
  const [other, silent] = kept(idle, 2);
  if (silent !== undefined) silent.isSilent = true;
  expect(await idle.take(settings)).toBeUndefined();
  await vi.waitFor(() => expect([other?.alive, silent?.alive]).toEqual([false, false]));
});

test('one is used for five minutes and no longer, however often that is', async () => {
  vi.useFakeTimers();
  await using idle = new IdleConnections();
  const [transport = new Resting()] = kept(idle, 1);
  for (let minute = 0; minute < 5; minute += 1) {
    vi.advanceTimersByTime(59_000);
    expect(await idle.take(settings)).toBe(transport);
    expect(idle.keep(settings, transport)).toBe(true);
  }
  vi.advanceTimersByTime(59_000);
  expect(await idle.take(settings)).toBe(transport);
  expect(idle.keep(settings, transport)).toBe(false);
});

test('a list of known hosts that was changed is another one', async () => {
  await using idle = new IdleConnections();
  kept(idle, 1);
  writeFileSync(knownHostsPath, '@revoked a ssh-ed25519 AAAA\n');
  expect(await idle.take(settings)).toBeUndefined();
});

test('who has given a connection back cannot use it any more', async () => {
  await using idle = new IdleConnections();
  const connections = new Connections(async () => new Resting(), idle);
  const lent = await connections.get(settings);
  const script = { name: 'test', text: '' };
  expect((await lent.run(script, [])).code).toBe(0);
  await connections.closeAll();
  await expect(lent.run(script, [])).rejects.toThrow('the connections of this deployment are closed');
  expect(await idle.take(settings)).toMatchObject({ alive: true });
});

test('what a failed deployment had is closed', async () => {
  await using idle = new IdleConnections();
  const transport = new Resting();
  const connections = new Connections(async () => transport, idle);
  await connections.get(settings);
  await connections.closeAll({ keep: false });
  expect(transport.alive).toBe(false);
  expect(await idle.take(settings)).toBeUndefined();
});
