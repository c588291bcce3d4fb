import { type RedisServer, startRedis } from '@rexdeploy/sandbox/redis';
import { redisOptions } from '@rexdeploy/shared/redis/connection';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { askRedis } from './ask.js';
import { TurnReads } from './turn-reads.js';

let server: RedisServer;
/** Somebody else, who writes. */
let other: Redis;

beforeAll(async () => {
  server = await startRedis();
  other = new Redis(server.url);
});
beforeEach(async () => {
  await other.flushall();
  await other.config('RESETSTAT');
});
afterAll(async () => {
  other.disconnect();
  await server.close();
});

async function connect(): Promise<TurnReads> {
  const redis = new Redis(server.url, redisOptions('request'));
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  if (redis.status !== 'ready') await new Promise((resolve) => redis.once('ready', resolve));
  return new TurnReads(redis);
}

/** How often Redis was asked it. */
async function calls(command: string): Promise<number> {
  const found = new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(await other.info('commandstats'));
  return Number(found?.[1] ?? 0);
}

test('every read of a turn gets its own answer', async () => {
  const reads = await connect();
  await other.hset('hash', { a: '1', b: '2' });
  await other.xadd('stream', '1-1', 'e', 'first');
  await other.xadd('stream', '2-1', 'e', 'second');
  const answers = await Promise.all([
    reads.hgetall('hash'),
    reads.hgetall('none'),
    reads.hmget('hash', 'b', 'c'),
    reads.xrange('stream', '-', 10),
    reads.xrange('stream', '(1-1', 10),
    reads.xrange('stream', '-', 1),
  ]);
  const [first, second] = [
    ['1-1', ['e', 'first']],
    ['2-1', ['e', 'second']],
  ];
  expect(answers).toEqual([{ a: '1', b: '2' }, {}, ['2', null], [first, second], [second], [first]]);
});

test('a read that fails takes none of its turn along', async () => {
  const reads = await connect();
  await other.set('text', 'no hash');
  await other.hset('hash', { a: '1' });
  const [before, wrong, after] = await Promise.allSettled([
    reads.hgetall('hash'),
    reads.hgetall('text'),
    reads.hmget('hash', 'a'),
  ]);
  expect([before, after]).toEqual([
    { status: 'fulfilled', value: { a: '1' } },
    { status: 'fulfilled', value: ['1'] },
  ]);
  expect(wrong).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('WRONGTYPE') } });
});

test('what many want to know in one turn is asked once, and anew in the next', async () => {
  const reads = await connect();
  const length = reads.once(async (key) => Object.keys(await reads.hgetall(key)).length);
  for (let turn = 1; turn <= 3; turn += 1) {
    await other.hset('one', { [`field${turn}`]: '' });
    const answers = await Promise.all([...Array.from({ length: 20 }, () => length('one')), length('none')]);
    expect(answers).toEqual([...Array.from({ length: 20 }, () => turn), 0]);
    expect(await calls('hgetall')).toBe(turn * 2);
  }
});

/** Turns end when the test says so. */
function holdTurns(): { end(): Promise<void> } {
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    end: async () => {
      // What leaves at once has left when a turn ends.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      vi.runAllTimers();
    },
  };
}

test('who has a reply of a turn that is still open is not given what was asked before it', async () => {
  const reads = await connect();
  const state = reads.once((key) => reads.hgetall(key));
  const turn = holdTurns();
  await other.hset('one', { round: 1 });
  const first = state('one');
  expect(state('one')).toBe(first);
  expect(await first).toEqual({ round: '1' });

  await other.hset('one', { round: 2 });
  const second = state('one');
  expect(state('one')).toBe(second);
  await turn.end();
  expect(await second).toEqual({ round: '2' });
});

test('a reply of a turn that is over takes nothing from the one after it', async () => {
  const reads = await connect();
  const ready = reads.once(async (key) => key);
  const turn = holdTurns();
  const late = reads.hgetall('one');
  await turn.end();
  const asked = ready('one');
  await late;
  expect(ready('one')).toBe(asked);
  await turn.end();
  expect(ready('one')).not.toBe(asked);
  await turn.end();
});

test('an answer is never older than its question', async () => {
  const reads = await connect();
  const state = reads.once((key) => reads.hgetall(key));
  for (let round = 0; round < 200; round += 1) {
    // Some are on their way while it changes: these may tell either.
    const early = [state('one'), state('one')];
    await other.hset('one', { round });
    expect(await state('one')).toEqual({ round: String(round) });
    await Promise.all(early);
  }
});

test('without Redis every read fails at once, and with one that is frozen after the time of one command, however many wait', async () => {
  const reads = await connect();
  server.freeze();
  const begun = Date.now();
  const ask = () => [reads.hgetall('hash'), reads.hmget('hash', 'a'), reads.xrange('stream', '-', 1)];
  const frozen = [...ask(), ...ask()].map((read) => askRedis<unknown>(() => read));
  for (const each of await Promise.allSettled(frozen)) {
    expect(each).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError', status: 503 } });
  }
  expect(Date.now() - begun).toBeLessThan(8_000);
  server.thaw();
  await expect.poll(() => reads.hgetall('hash').catch(() => 'away')).toEqual({});

  await server.kill();
  await expect.poll(() => reads.hgetall('hash').catch(() => 'away')).toBe('away');
  for (const each of await Promise.allSettled(ask().map((read) => askRedis<unknown>(() => read)))) {
    expect(each).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError' } });
  }
  await server.restart();
  await expect.poll(() => reads.hgetall('hash').catch(() => 'away')).toEqual({});
});
