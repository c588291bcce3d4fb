import { claim } from '@rexdeploy/shared/journal/journal';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import type { Answer, ApiUnderTest } from './api/api-under-test.js';
import { finish, rollOut, take } from './api/fake-worker.js';
import { test as apiTest } from './api/fixtures.js';
import { expectSound } from './support/invariants.js';
import { writeVersion } from './support/release-steps.js';
import { journalOf, startDeployment } from './support/roll-out.js';
import { standForAll, test } from './support/stand.js';

/** `when_busy`: what becomes of a request for a name that another deployment has. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };
const QUEUE = { ...DEPLOY, when_busy: 'queue' };
const SUPERSEDE = { ...DEPLOY, when_busy: 'supersede' };

const idOf = ({ body }: { body: Answer['body'] }): string => body.job?.id ?? '';

async function accepted(api: ApiUnderTest, params: Record<string, string>): Promise<string> {
  const answer = await api.rex(params);
  expect(answer.status, answer.text).toBe(202);
  return idOf(answer);
}

const jobOf = async (api: ApiUnderTest, id: string) => (await api.call(`/jobs/${id}`)).body.job;
const tickets = (api: ApiUnderTest): Promise<string[]> => api.redis.lrange('rex:deployments:wait', 0, -1);

apiTest('who waits is told for whom, in which state that one is, and has no ticket', async ({ start }) => {
  const api = await start();
  const first = await accepted(api, { ...DEPLOY, k: 'server2' });
  const answer = await api.rex(QUEUE);
  expect(answer.status).toBe(202);
  const second = idOf(answer);
  expect(answer.body).toMatchObject({ code: '0', data: { code: '1' }, job: { state: 'queued' } });
  expect(answer.body.job?.why).toBe(`waits for ${first} (server2, queued)`);
  const third = await accepted(api, QUEUE);
  expect(await tickets(api)).toEqual([first]);
  expect((await jobOf(api, first))?.why).toBeUndefined();

  const journal = await take(api, first);
  expect((await jobOf(api, second))?.why).toBe(`waits for ${first} (server2, running)`);
  expect((await jobOf(api, third))?.why).toBe(`waits for ${first} (server2, running), number 2 in line`);
  await journal.append({ type: 'held', batch: 0 });
  expect((await jobOf(api, second))?.why).toBe(`waits for ${first} (server2, held)`);
  await api.call(`/jobs/${first}/resume`, { method: 'POST' });
  expect((await jobOf(api, second))?.why).toBe(`waits for ${first} (server2, queued)`);
  expect((await api.rex(DEPLOY)).status).toBe(409);
  expect((await api.rex({ ...DEPLOY, when_busy: 'refuse' })).status).toBe(409);
  expect((await api.rex({ ...DEPLOY, when_busy: 'never' })).body.msg).toContain('expected refuse, queue or supersede');
});

apiTest(
  'each gets its turn in the order of acceptance, with a stamp that grows from turn to turn',
  async ({ start }) => {
    const api = await start();
    const ids = [await accepted(api, DEPLOY)];
    for (let i = 0; i < 3; i += 1) ids.push(await accepted(api, QUEUE));
    const stamps: number[] = [];
    for (const [index, id] of ids.entries()) {
      expect(await api.redis.get(api.keys.lock('server'))).toBe(id);
      expect((await jobOf(api, id))?.why).toBeUndefined();
      for (const [place, later] of ids.slice(index + 1).entries()) {
        const suffix = place === 0 ? '' : `, number ${place + 1} in line`;
        expect((await jobOf(api, later))?.why).toBe(`waits for ${id} (server, queued)${suffix}`);
      }
      const journal = await take(api, id);
      stamps.push(journal.state.stampMs);
      await finish(journal, index === 1 ? 'failed' : 'succeeded');
      expect(journal.next).toBe(ids[index + 1]);
    }
    expect(stamps).toEqual([...new Set(stamps)].sort((a, b) => a - b));
    expect(await api.redis.get(api.keys.lock('server'))).toBeNull();
    await rollOut(api, await accepted(api, DEPLOY));
  },
);

apiTest('who waits cannot be taken by a worker, and is out of line when it is cancelled', async ({ start }) => {
  const api = await start();
  const first = await accepted(api, DEPLOY);
  const [second, third] = [await accepted(api, QUEUE), await accepted(api, QUEUE)];
  await expect(take(api, second)).rejects.toThrow('cannot be claimed');
  const cancelled = await api.call(`/jobs/${second}/cancel`, { method: 'POST' });
  expect(cancelled.body.job).toMatchObject({ state: 'cancelled' });
  expect(cancelled.body.job?.why).toBeUndefined();
  expect((await jobOf(api, third))?.why).toBe(`waits for ${first} (server, queued)`);
  // The one that has the name has not begun either: its turn is over, and the next one's ticket is sent at once.
  await api.call(`/jobs/${first}/cancel`, { method: 'POST' });
  expect(await api.redis.get(api.keys.lock('server'))).toBe(third);
  expect((await tickets(api)).sort()).toEqual([first, third].sort());
  expect((await jobOf(api, third))?.why).toBeUndefined();
  await rollOut(api, third);
  expect(await api.redis.exists(api.keys.waiting('server'), api.keys.lock('server'))).toBe(0);
});

apiTest('supersede replaces all that have not begun, also the one that has the name', async ({ start }) => {
  const api = await start();
  const old = [await accepted(api, DEPLOY), await accepted(api, QUEUE), await accepted(api, QUEUE)];
  const answer = await api.rex(SUPERSEDE);
  const id = idOf(answer);
  expect(answer.body.job?.why).toBeUndefined();
  for (const each of old) {
    const { body } = await api.call(`/jobs/${each}`);
    expect(body).toMatchObject({ code: '-1', msg: `superseded by ${id}`, job: { state: 'cancelled' } });
    await expect(take(api, each)).rejects.toThrow('cannot be claimed');
  }
  expect(await tickets(api)).toContain(id);
  await rollOut(api, id);
  expect(await api.redis.smembers(api.keys.open)).toEqual([]);
});

apiTest('supersede never touches one that runs or is held, and waits for it', async ({ start }) => {
  const api = await start();
  const first = await accepted(api, DEPLOY);
  const journal = await take(api, first);
  const second = await accepted(api, QUEUE);
  const third = await accepted(api, SUPERSEDE);
  expect(await jobOf(api, second)).toMatchObject({ state: 'cancelled' });
  expect(await jobOf(api, third)).toMatchObject({ state: 'queued', why: `waits for ${first} (server, running)` });
  await journal.append({ type: 'held', batch: 0 });
  const fourth = await accepted(api, SUPERSEDE);
  expect(await jobOf(api, third)).toMatchObject({ state: 'cancelled' });
  // Handed back or resumed it is queued, yet it has begun.
  await api.call(`/jobs/${first}/resume`, { method: 'POST' });
  const fifth = await accepted(api, SUPERSEDE);
  expect(await jobOf(api, first)).toMatchObject({ state: 'queued' });
  expect(await jobOf(api, fourth)).toMatchObject({ state: 'cancelled' });
  await finish(await take(api, first));
  expect(await api.redis.get(api.keys.lock('server'))).toBe(fifth);
});

apiTest('the same Idempotency-Key gets in line once, and is not superseded by itself', async ({ start }) => {
  const api = await start();
  await take(api, await accepted(api, DEPLOY));
  for (const params of [QUEUE, SUPERSEDE]) {
    const headers = { 'idempotency-key': `build-${params.when_busy}` };
    const [one, again] = [await api.rex(params, { headers }), await api.rex(params, { headers })];
    expect([one.status, again.status]).toEqual([202, 202]);
    expect(idOf(again)).toBe(idOf(one));
    expect(again.body.job).toEqual(one.body.job);
    expect(await api.redis.llen(api.keys.waiting('server'))).toBe(1);
    expect((await api.rex({ ...params, k: 'server1' }, { headers })).status).toBe(422);
  }
});

apiTest('of many requests at once all get in line, each at a place of its own', async ({ start }) => {
  const api = await start();
  const ids = (await Promise.all(Array.from({ length: 12 }, () => api.rex(QUEUE)))).map(idOf);
  const line = await api.redis.lrange(api.keys.waiting('server'), 0, -1);
  const owner = (await api.redis.get(api.keys.lock('server'))) ?? '';
  expect([owner, ...line].sort()).toEqual(ids.sort());
  await rollOut(api, owner);
  for (const id of line) await rollOut(api, id);
});

const stand = standForAll({ fleet: { names: 2 }, config: { worker: { stalled_check: '500ms' } } });

/** While nobody takes anything; what it misses meanwhile the worker finds when it goes on. */
async function whileFrozen<T>(work: () => Promise<T>): Promise<T> {
  const [worker] = stand().workers;
  worker?.freeze();
  try {
    return await work();
  } finally {
    worker?.thaw();
  }
}

async function withRedis<T>(work: (redis: Redis, keys: Keys) => Promise<T>): Promise<T> {
  const client = new Redis(stand().redis.url);
  try {
    return await work(client, new Keys('rex'));
  } finally {
    client.disconnect();
  }
}

const stateAtEnd = async (id: string) => (await stand().client.get(`/jobs/${id}?wait=60`)).body.job?.state;
/** What the instances of `server` answer, in a sound fleet. */
const answers = async () => (await expectSound(stand())).slice(0, 2);

test('what waited begins as soon as the one before it ends, and finds what that one has left', async () => {
  const { client } = stand();
  const [id, rollback] = await whileFrozen(async () => [
    await startDeployment(stand()),
    idOf(await client.rex({ action: 'rollback', k: 'server', when_busy: 'queue' })),
  ]);
  const { body } = await client.get(`/jobs/${rollback}?wait=60`);
  expect(body.msg).toBeUndefined();
  expect(body.job?.state).toBe('succeeded');
  expect((await client.get(`/jobs/${id}`)).body.job?.state).toBe('succeeded');
  // The one before it sent its ticket: no reconciler had to find out.
  const events = await journalOf(stand(), rollback);
  const timeOf = (type: string): number => Date.parse(String(events.find((event) => event.type === type)?.data.at));
  expect(timeOf('claimed') - timeOf('turn')).toBeLessThan(10_000);
  expect(await answers()).toEqual(['v1', 'v1']);
});

test('should whoever hands the name on die before the ticket is sent, a worker sends it', async () => {
  writeVersion(stand(), 'v3');
  const second = await whileFrozen(async () => {
    const first = await startDeployment(stand());
    const waits = idOf(await stand().client.rex(QUEUE));
    await withRedis(async (redis, keys) => {
      const journal = await claim(redis, keys, first, 'a worker that dies');
      await journal?.append({ type: 'finished', state: 'failed' });
      expect(journal?.next).toBe(waits);
    });
    return waits;
  });
  expect(await stateAtEnd(second)).toBe('succeeded');
  expect(await answers()).toEqual(['v3', 'v3']);
});

for (const lost of ['all but the lock', 'everything']) {
  test(`a name of whose owner ${lost} is lost goes to who waits for it`, async () => {
    const version = lost === 'everything' ? 'v4' : 'v5';
    writeVersion(stand(), version);
    const second = await whileFrozen(async () => {
      const first = await startDeployment(stand());
      const waits = idOf(await stand().client.rex(QUEUE));
      await withRedis(async (redis, keys) => {
        await redis.del(keys.record(first), keys.journal(first));
        if (lost === 'everything') await redis.del(keys.lock('server'));
      });
      return waits;
    });
    expect(await stateAtEnd(second)).toBe('succeeded');
    expect(await answers()).toEqual([version, version]);
  });
}

test('unlocking comes before all that wait, and these have their turns after it', async () => {
  writeVersion(stand(), 'v6');
  const { client, clientFor } = stand();
  const boss = await clientFor({ name: 'boss', role: 'admin' });
  const held = idOf(await client.rex({ ...DEPLOY, hold: '1' }));
  for await (const { type } of client.events(held)) if (type === 'held') break;
  const waiting = idOf(await client.rex(QUEUE));
  const unlock = await boss.rex({ action: 'Deploy:Db:initdb', k: 'server', force: '1', wait: '60' });
  expect(unlock.body.job?.state).toBe('succeeded');
  expect(await stateAtEnd(waiting)).toBe('succeeded');
  const told = (await journalOf(stand(), waiting)).flatMap(({ type, data }) => (type === 'waiting' ? [data.for] : []));
  expect([...new Set(told)]).toEqual([held, idOf(unlock)]);
  expect(await answers()).toEqual(['v6', 'v6']);
});

test('what waits for a name that is no longer configured fails and says so, one after the other', async () => {
  const { client, fleet, workers, addWorker } = stand();
  await workers[0]?.stop();
  const ids = [idOf(await client.rex(DEPLOY)), idOf(await client.rex(QUEUE)), idOf(await client.rex(QUEUE))];
  const without = { names: { server: undefined } };
  fleet.writeConfig({ environments: { prod: without, uat: without } });
  await addWorker();
  for (const id of ids) {
    const { body } = await client.get(`/jobs/${id}?wait=60`);
    expect(body.job?.state).toBe('failed');
    expect(body.msg).toContain('the name server is no longer in the configuration');
  }
});
