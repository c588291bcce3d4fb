import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import type { DeployRequest, JournalEvent } from '@rexdeploy/shared/journal/events';
import { redisOptions } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Deployments } from './deployments.js';
import { JournalFeed } from './journal/feed.js';
import { follow } from './journal/follow.js';

const ID = 'dep-1';
const AT = '2026-03-02T06:37:56.000Z';
const keys = new Keys('rex');
const request: DeployRequest = {
  action: 'deploy',
  k: 'server',
  name: 'server',
  batches: [['server1']],
  source: { kind: 'none' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: {},
  by: 'ci',
};
const accepted: JournalEvent = { type: 'accepted', at: AT, id: ID, request, stampMs: 1 };
const finished: JournalEvent = { type: 'finished', at: AT, state: 'succeeded' };
const told = (message: string): JournalEvent => ({ type: 'log', at: AT, level: 'info', message });

let server: RedisServer;
let redis: Redis;
let deployments: Deployments;

beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url, redisOptions('request'));
  await new Promise((resolve) => redis.once('ready', resolve));
});
beforeEach(async () => {
  await redis.flushall();
  deployments = new Deployments(redis, keys);
  await redis.hset(keys.record(ID), {
    id: ID,
    name: 'server',
    action: 'deploy',
    state: 'queued',
    by: 'ci',
    created: 7,
  });
  await write(accepted);
});
afterAll(async () => {
  redis.disconnect();
  await server.close();
});

const write = (event: JournalEvent, id = '*') => redis.xadd(keys.journal(ID), id, 'e', JSON.stringify(event));
const log = async () => (await deployments.find(ID)).state.log.map((line) => line.split(' ').at(-1));

test('a deployment is as its journal says at the moment of the question', async () => {
  expect(await log()).toEqual([]);
  for (let count = 1; count <= 50; count += 1) {
    // Some ask while it is written.
    const early = log();
    await write(told(`m${count}`));
    expect((await log()).length).toBe(count);
    expect((await early).length).toBeOneOf([count - 1, count]);
  }
  expect(await new Deployments(redis, keys).find(ID)).toEqual(await deployments.find(ID));
});

/** Its end comes behind a question of this turn that is on its way. @returns that question */
async function endBehindQuestion(lastId?: string) {
  const early = deployments.find(ID);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  // Redis answers a connection in order. Not awaited: the turn would be over.
  const ended = write(finished, lastId);
  return { early, ended };
}

test('who knows of a later event than others of the turn can ask by itself', async () => {
  const { early, ended } = await endBehindQuestion();
  const [joined, now, end] = [deployments.find(ID), deployments.findNow(ID), deployments.findEnded(ID)];
  const states = await Promise.all([early, joined, now, end]);
  expect(states.map(({ state }) => state.state)).toEqual(['queued', 'queued', 'succeeded', 'succeeded']);
  expect(states[2]?.lastId).toBe(await ended);
  expect(states[3]).toEqual(states[2]);
});

test('who comes again after the end does not watch for another, whatever others of the turn were told', async () => {
  const lastId = '9999999999999-1';
  const { early, ended } = await endBehindQuestion(lastId);
  const feed = new JournalFeed(redis, keys, pino({ enabled: false }));
  vi.spyOn(feed, 'watch').mockImplementation(() => {
    throw new Error('watches for what is over');
  });
  const rest = follow({ deployments, feed }, ID, lastId, new AbortController().signal);
  expect(await rest.next()).toEqual({ done: true, value: undefined });
  expect((await early).state.state).toBe('queued');
  await ended;
});

test('only what is new is read of a journal, however long it is', async () => {
  const pipeline = redis.pipeline();
  for (let count = 1; count <= 1_234; count += 1)
    pipeline.xadd(keys.journal(ID), '*', 'e', JSON.stringify(told(`m${count}`)));
  await pipeline.exec();
  expect((await log()).length).toBe(1_234);
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await redis.info('stats'))?.[1]);
  const before = await sent();
  for (let count = 0; count < 20; count += 1) expect((await log()).length).toBe(1_234);
  // Twenty times the last entry, and the figures themselves.
  expect((await sent()) - before).toBeLessThan(20_000);
});

test('where Redis was set back to an earlier day, what it no longer knows is forgotten', async () => {
  await write(told('kept'));
  const lost = await write(told('lost'));
  expect(await log()).toEqual(['kept', 'lost']);
  await redis.xdel(keys.journal(ID), lost ?? '');
  expect(await log()).toEqual(['kept']);
  await write(told('after'));
  expect(await log()).toEqual(['kept', 'after']);
  await redis.del(keys.journal(ID));
  await expect(deployments.find(ID)).rejects.toMatchObject({ name: 'NotFoundError' });
  expect(deployments.lastKnown(ID)).toBeUndefined();
  expect(deployments.lookAhead(ID)).toBeUndefined();
});

test('a look ahead reads only what is known already, and hurts nobody when it fails', async () => {
  expect(deployments.lookAhead(ID)).toBeUndefined();
  await deployments.find(ID);
  await write(told('new'));
  const looked = deployments.lookAhead(ID);
  expect(await looked?.head).toEqual({
    id: ID,
    name: 'server',
    action: 'deploy',
    state: 'queued',
    by: 'ci',
    createdMs: 7,
  });
  expect((await looked?.found)?.state.log).toEqual([`${AT} new`]);
  await redis.del(keys.record(ID), keys.journal(ID));
  const gone = deployments.lookAhead(ID);
  await redis.ping();
  await expect(gone?.head).rejects.toMatchObject({ name: 'NotFoundError' });
  await expect(gone?.found).rejects.toMatchObject({ name: 'NotFoundError' });
});
