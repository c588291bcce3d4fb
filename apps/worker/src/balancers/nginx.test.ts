import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Fleet, startFleet } from '@rexdeploy/sandbox/fleet';
import { loadConfig } from '@rexdeploy/shared/config/load';
import type { ResolvedInstance } from '@rexdeploy/shared/config/resolved';
import { Connections } from '@rexdeploy/ssh/connections';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openFence } from '../testing/open-fence.js';
import { describeBalancer } from './balancer.contract.js';
import { createBalancer } from './create.js';

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
