import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Fleet, startFleet } from './fleet.js';
import type { FleetInstance } from './instance.js';
import { type Behaviour, makeConfig, setBehaviour } from './program.js';

let fleet: Fleet;
let instance: FleetInstance;
beforeAll(async () => {
  fleet = await startFleet({ instances: 1, balancer: 'none' });
  instance = fleet.instance('server1');
});
afterAll(() => fleet.close());
afterEach(async () => {
  await instance.runService('stop');
  setBehaviour(instance.programDir, {});
  makeConfig(instance.configDir, instance.key);
});

async function startWith(behaviour: Behaviour): Promise<{ code: number | null; stderr: string }> {
  await instance.runService('stop');
  setBehaviour(instance.programDir, behaviour);
  return instance.runService('start');
}

test('an app told to fail at start makes the service script fail and say why', async () => {
  const { code, stderr } = await startWith({ fail: 'start' });
  expect(code).toBe(1);
  expect(stderr).toContain('told to fail at start');
  expect(instance.pids()).toEqual([]);
});

test('an app without its configuration does not start', async () => {
  await instance.runService('stop');
  await fleet.hostOf('server1').ssh(`rm ${join(instance.configDir, 'app.json')}`);
  expect((await instance.runService('start')).code).toBe(1);
});

test('an unhealthy app runs and answers 500', async () => {
  expect((await startWith({ fail: 'unhealthy' })).code).toBe(0);
  await expect.poll(() => instance.health()).toMatchObject({ status: 'unhealthy' });
  expect((await instance.get('/health')).status).toBe(500);
});

test('a slow app is started but answers later', async () => {
  const gate = join(fleet.dir, 'gate');
  writeFileSync(gate, '');
  expect((await startWith({ slow: 100, gate })).code).toBe(0);
  expect(instance.pids()).toHaveLength(2);
  expect(await instance.health()).toBeUndefined();
  rmSync(gate);
  await expect.poll(() => instance.health()).toMatchObject({ status: 'ok' });
});

test('an app told to die after a while takes both of its processes with it', async () => {
  await startWith({ die_after: 50 });
  await expect.poll(() => instance.pids()).toEqual([]);
  expect(readFileSync(instance.logFile, 'utf8')).toContain('told to die');
});

test('the configuration of an instance overrides what the program says', async () => {
  makeConfig(instance.configDir, 'server1', { unhealthy: true });
  await startWith({ unhealthy: false });
  await expect.poll(() => instance.health()).toMatchObject({ status: 'unhealthy' });
});

test('a killed master takes its worker with it, so that the port is free again', async () => {
  await startWith({});
  const [master = 0] = instance.pids();
  process.kill(master, 'SIGKILL');
  await expect.poll(() => instance.pids()).toEqual([]);
  expect((await instance.runService('start')).code).toBe(0);
  await expect.poll(() => instance.health()).toMatchObject({ status: 'ok' });
});
