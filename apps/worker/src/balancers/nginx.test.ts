import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import { loadConfig } from '@rexdeploy/shared/config/load';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import type { SshSettings, Transport } from '@rexdeploy/ssh/transport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openFence } from '../testing/open-fence.js';
import { describeBalancer } from './balancer.contract.js';
import { createBalancer } from './create.js';
import { Notes } from './notes.js';

const connections = new Connections();
let fleet: Fleet;
let instance: ResolvedInstance;

beforeAll(async () => {
  fleet = await startFleet({ app: false });
  const found = loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.get('server1');
  if (found === undefined) throw new Error('the fleet has no server1');
  instance = found;
  edit((line) => line.replace(';', ' weight=7;'));
});
afterAll(async () => {
  await connections.closeAll();
  await fleet.close();
});

const driver = (of: ResolvedInstance) =>
  createBalancer(of, async (settings) => openFence(await connections.get(settings), `${fleet.dir}/fence`));

/** Changes the line of the instance in the upstream file. */
function edit(change: (line: string) => string): void {
  const file = fleet.nginx?.upstreamFile() ?? '';
  const lines = readFileSync(file, 'utf8').split('\n');
  writeFileSync(file, lines.map((line) => (line.includes(`${instance.host}:`) ? change(line) : line)).join('\n'));
}

describeBalancer('nginx', async () => ({
  balancer: driver(instance),
  stranger: driver({ ...instance, host: '10.9.9.9' }),
  strangerError: /no "server 10\.9\.9\.9" line for server1/,
  isIn: async () => fleet.nginx?.upstream().find((line) => line.address === instance.host)?.down === false,
  setByHand: async (inRotation) =>
    edit((line) => (inRotation ? line.replace(' down;', ';') : line.replace(';', ' down;'))),
}));

describe('an nginx that refuses its configuration because of somebody else', () => {
  const { signal } = new AbortController();
  const beside = (name: string): string => (fleet.nginx?.upstreamFile() ?? '').replace(/[^/]+$/, name);
  beforeEach(() => writeFileSync(beside('other.conf'), 'nonsense;\n'));
  afterEach(() => rmSync(beside('other.conf'), { force: true }));

  test('is told, and the file is as it was', async () => {
    const file = fleet.nginx?.upstreamFile() ?? '';
    const before = readFileSync(file, 'utf8');
    const found = await driver(instance).look(signal);
    await expect(driver(instance).takeOut(found, signal)).rejects.toThrow(/nginx refuses the configuration/);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(existsSync(beside('.server.conf.rex-old'))).toBe(false);
  });

  test('does not matter where the line stands as it shall and is in use', async () => {
    const found = await driver(instance).look(signal);
    await driver(instance).giveBack(found, signal);
    expect(await driver(instance).look(signal)).toEqual(found);
  });

  test('does matter after a change that was cut off before it came into use', async () => {
    const found = await driver(instance).look(signal);
    writeFileSync(beside('.server.conf.rex-old'), '');
    await expect(driver(instance).giveBack(found, signal)).rejects.toThrow(/nginx refuses the configuration/);
    rmSync(beside('other.conf'));
    await driver(instance).giveBack(found, signal);
    expect(existsSync(beside('.server.conf.rex-old'))).toBe(false);
  });
});

test('instances of one file that look at once have one answer, with the lines of all', async () => {
  const all = [...(loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.values() ?? [])];
  let runs = 0;
  const connect = async (settings: SshSettings): Promise<Transport> => {
    const transport = await connections.get(settings);
    const run: Transport['run'] = (...args) => {
      runs += 1;
      return transport.run(...args);
    };
    return Object.create(transport, { run: { value: run } });
  };
  const notes = new Notes();
  const { signal } = new AbortController();
  const seen = await Promise.all(
    all.map((each) => createBalancer(each, connect, notes).look(signal, { withinMs: 60_000 })),
  );
  expect(seen.map(({ exact }) => exact)).toEqual(all.map(({ host }) => expect.stringContaining(`server ${host}:`)));
  expect(runs).toBe(1);
});

describe('what is given back while another change follows', () => {
  const { signal } = new AbortController();
  const waits = (): boolean => existsSync(`${dirname(fleet.nginx?.upstreamFile() ?? '')}/.server.conf.rex-old`);
  /** Process ids of nginx's workers that do not end. */
  const workers = async (): Promise<string[]> => {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(fleet.nginx?.pid)]);
    return stdout.split('\n').flatMap((row) => (/^\s*(\d+) nginx: worker process$/.exec(row)?.[1] ?? []) as string[]);
  };
  const settled = () => vi.waitFor(() => expect(waits()).toBe(false), { timeout: 20_000, interval: 10 });

  test('counts with that change at the latest', async () => {
    const found = await driver(instance).look(signal);
    const other = driver(loadConfig(fleet.writeConfig()).own.names.get('server')?.instances.get('server2') ?? instance);
    const second = await other.look(signal);
    await driver(instance).takeOut(found, signal);
    const before = await workers();
    await driver(instance).giveBack(found, signal, { isFollowed: true });
    expect(await driver(instance).look(signal)).toEqual(found);
    await other.takeOut(second, signal);
    expect(waits()).toBe(false);
    const after = await workers();
    expect(after).toHaveLength(1);
    expect(before).not.toContain(after[0]);
    await other.giveBack(second, signal);
  });

  test('counts a moment later where none follows', async () => {
    const found = await driver(instance).look(signal);
    await driver(instance).takeOut(found, signal);
    const before = await workers();
    await driver(instance).giveBack(found, signal, { isFollowed: true });
    await settled();
    expect((await workers()).some((pid) => before.includes(pid))).toBe(false);
  });

  test('counts at once where it is given back once more', async () => {
    const found = await driver(instance).look(signal);
    await driver(instance).takeOut(found, signal);
    await driver(instance).giveBack(found, signal, { isFollowed: true });
    await driver(instance).giveBack(found, signal);
    expect(waits()).toBe(false);
  });

  test('however many changes come one after another, nginx keeps its number of workers', async () => {
    const found = await driver(instance).look(signal);
    for (let i = 0; i < 8; i += 1) {
      await driver(instance).takeOut(found, signal);
      await driver(instance).giveBack(found, signal);
    }
    // nginx itself tells its old workers to end 0.1 s after it has started new ones.
    await vi.waitFor(async () => expect(await workers()).toHaveLength(1), { timeout: 30_000, interval: 50 });
    await expect(
      vi.waitFor(async () => expect(await workers()).not.toHaveLength(1), { timeout: 500 }),
    ).rejects.toThrow();
  });
});
