import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from '@rexdeploy/sandbox/fleet';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { heldSwitches, holdSwitches } from './support/gate.js';
import { type Stand, test } from './support/stand.js';

/** What is out of rotation by our hand is given back, whatever was forgotten meanwhile. */

const FAST = { worker: { lock: '2s', stalled_check: '200ms', sweep_after: '1s' } };
/** The same, for tests that act while an instance is drained. */
const HELD = (fleet: Fleet) => ({ ...FAST, ...heldSwitches(fleet) });
const DEPLOY = { k: 'server', senv: 'uat' };

const downs = ({ fleet }: Stand) => fleet.nginx?.upstream().map((line) => line.down);

async function withRedis<T>({ redis }: Stand, work: (redis: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

const ledger = (stand: Stand) => withRedis(stand, (redis) => redis.hgetall('rex:drained'));

/** Starts a deployment and calls `act` while its first switch is held. @returns the job's id */
async function actWhileDrained(stand: Stand, act: () => Promise<unknown>): Promise<string> {
  const letGo = holdSwitches(stand.fleet);
  const id = await actAt(stand, 'switch', act);
  letGo();
  return id;
}

/** Starts a deployment and calls `act` when a step of server1 begins. @returns the job's id */
async function actAt(stand: Stand, step: string, act: () => Promise<unknown>): Promise<string> {
  const accepted = await stand.client.rex({ action: 'deploy', ...DEPLOY });
  const id = accepted.body.job?.id ?? '';
  for await (const { type, data } of stand.client.events(id)) {
    if (type !== 'step-started' || data.step !== step) continue;
    await act();
    break;
  }
  return id;
}

/** Follows the history until a sweep of this outcome is in it. */
async function sweepThat({ client }: Stand, state: string): Promise<string> {
  for (;;) {
    const { body } = await client.get('/jobs?k=server');
    await pause(200); // a list tells of nothing new by itself
    for (const job of Object.values(body.data.data as Record<string, { action: string; id: string }>)) {
      if (job.action !== 'sweep') continue;
      const ended = await client.get(`/jobs/${job.id}?wait=30`);
      if (ended.body.job?.state === state) return ended.body.msg ?? '';
    }
  }
}

test('what could not be brought back is given back as soon as it serves again, and not before', async ({ start }) => {
  const stand = await start({ config: FAST });
  setBehaviour(stand.fleet.uatDirs.get('server')?.programDir ?? '', { fail: 'start' });
  const instance = stand.fleet.instance('server1');
  const host = stand.fleet.hostOf('server1');
  const broken = `#!/bin/sh\nif [ "$1" = start ]; then echo disk full; exit 9; fi\nexec ${instance.service}-real "$@"\n`;
  await host.ssh(
    `mv ${instance.service} ${instance.service}-real && cat > ${instance.service} && chmod +x ${instance.service}`,
    broken,
  );
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.rollback).toBe('failed');
  expect(Object.keys(await ledger(stand))).toEqual(['server1']);
  expect(await sweepThat(stand, 'failed')).toContain('server1 stays out of rotation');
  expect(downs(stand)).toEqual([true, false]);

  await host.ssh(`mv ${instance.service}-real ${instance.service}`);
  await instance.runService('start');
  await sweepThat(stand, 'succeeded');
  expect(downs(stand)).toEqual([false, false]);
  expect(await ledger(stand)).toEqual({});
});

test('Redis lost its newest second, in which an instance was drained: it is given back all the same', async ({
  start,
}) => {
  const stand = await start({ config: HELD });
  const id = await actWhileDrained(stand, () => stand.workers[0]?.kill9() ?? Promise.resolve());
  // As if it had been restarted from a file that is a second old: the drain is not in it.
  await withRedis(stand, async (redis) => {
    const events = await redis.xrange(`rex:dep:${id}:journal`, '-', '+');
    const drained = events.findIndex(([, fields]) => /"step-started".*"drain"/.test(fields[1] ?? ''));
    expect(drained).toBeGreaterThan(0);
    for (const [entry] of events.slice(drained)) await redis.xdel(`rex:dep:${id}:journal`, entry);
    await redis.del('rex:drained');
  });
  await stand.addWorker();
  const ended = await stand.client.get(`/jobs/${id}?wait=60`);
  expect(ended.body.job?.state).toBe('succeeded');
  expect(downs(stand)).toEqual([false, false]);
  expect(await ledger(stand)).toEqual({});
});

test('everything that Redis knew is gone: the next deployment learns from the host what to give back', async ({
  start,
}) => {
  const stand = await start({ config: HELD });
  await actWhileDrained(stand, () => stand.workers[0]?.kill9() ?? Promise.resolve());
  await withRedis(stand, async (redis) => {
    const keys = await redis.keys('rex:*');
    const forgotten = keys.filter((key) => !key.startsWith('rex:token'));
    await redis.del(...forgotten);
  });
  await stand.addWorker();
  const { body } = await stand.client.deploy(DEPLOY);
  expect(body.job?.state).toBe('succeeded');
  expect(downs(stand)).toEqual([false, false]);
  for (const instance of stand.fleet.instances) expect((await instance.observe()).version).toBe('v2');
});

test('the deployment is gone under the feet of its worker: what it had taken out is swept', async ({ start }) => {
  const stand = await start({ config: HELD });
  const id = await actWhileDrained(stand, async () => stand.workers[0]?.freeze());
  await withRedis(stand, async (redis) => {
    await redis.del(`rex:dep:${id}`, `rex:dep:${id}:journal`, 'rex:drained', 'rex:lock:server');
    await redis.srem('rex:open', id);
  });
  stand.workers[0]?.thaw();
  await sweepThat(stand, 'succeeded');
  expect(downs(stand)).toEqual([false, false]);
});

test('a deployment that nobody can go on with tells what it has out of rotation, and the sweeper gives it back', async ({
  start,
}) => {
  const stand = await start({ config: FAST });
  const { client, fleet, workers } = stand;
  // Nobody has to see it end, and there must be time to strike before it does.
  setBehaviour(fleet.uatDirs.get('server')?.programDir ?? '', { slow: 3_000 });
  const killOwner = async () => workers.at(-1)?.kill9();
  const line = new RegExp(`left out of rotation: server1 \\(server ${fleet.instance('server1').host}:`);
  const expectTold = async (id: string, why: string): Promise<void> => {
    const { body } = await client.get(`/jobs/${id}?wait=60`);
    expect(body.msg).toContain(why);
    expect(body.msg).toMatch(line);
    expect(body.job).toMatchObject({ state: 'failed', rollback: 'failed' });
  };
  const dying = await actAt(stand, 'verify', killOwner);
  await withRedis(stand, (redis) => redis.hset(`rex:dep:${dying}`, 'epoch', '50'));
  await stand.addWorker();
  await expectTold(dying, 'given up after 50 workers');
  // Its end, not only what it gives back: the name is busy until then.
  await sweepThat(stand, 'succeeded');
  expect(await ledger(stand)).toEqual({});
  expect(downs(stand)).toEqual([false, false]);

  // Its instance is moved to another host while it is out.
  const moved = await actAt(stand, 'verify', killOwner);
  const server1 = { host: '127.9.9.9' };
  fleet.writeConfig({ ...FAST, environments: { prod: { names: { server: { instances: { server1 } } } } } });
  await stand.addWorker();
  await expectTold(moved, 'is configured as 127.9.9.9');
  expect(Object.keys(await ledger(stand))).toEqual(['server1']);
});
