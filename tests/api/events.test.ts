import { expect } from 'vitest';
import { finish, rollBatch, rollOut, take } from './fake-worker.js';
import { test } from './fixtures.js';
import { monitored } from './monitored.js';
import { all, events, type Sse } from './sse.js';

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };
/** The last event is the final answer, with its type and time beside it. */
function endOf(seen: Sse[]): unknown {
  const { type, at, ...envelope } = seen.at(-1)?.data ?? {};
  expect([type, typeof at]).toEqual(['end', 'string']);
  return envelope;
}

test('waiting, polling, replaying and following live end in the same envelope', async ({ start }) => {
  const api = await start();
  const held = api.rex({ ...DEPLOY, wait: '30' });
  await expect.poll(() => api.redis.zcard(api.keys.all)).toBe(1);
  const [id = ''] = await api.redis.zrange(api.keys.all, '0', '0');
  const [live, second] = [events(api, id), events(api, id)];
  // Both listen before anything else happens.
  const first = (await live.next()).value;
  expect((await second.next()).value).toEqual(first);
  await rollOut(api, id);

  const waited = (await held).body;
  const seenLive = [first, ...(await all(live))];
  const replayed = await all(events(api, id));
  expect(endOf(seenLive)).toEqual(waited);
  expect(endOf(await all(second))).toEqual(waited);
  expect(endOf(replayed)).toEqual(waited);
  expect((await api.call(`/jobs/${id}`)).body).toEqual(waited);
  expect(replayed).toEqual(seenLive);

  const entries = await api.redis.xrange(api.keys.journal(id), '-', '+');
  expect(replayed.slice(0, -1).map((event) => event.id)).toEqual(entries.map(([entryId]) => entryId));
  for (const { event, data } of replayed) {
    expect(data.type).toBe(event);
    expect(new Date(String(data.at)).toISOString()).toBe(data.at);
  }
  expect(replayed.at(0)?.event).toBe('accepted');
  expect(replayed.at(-1)).toMatchObject({ event: 'end', id: undefined });
});

test('a stream goes on after any event, without losing or repeating one', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  await rollOut(api, id);
  const whole = await all(events(api, id));
  for (const from of [0, 3, whole.length - 2]) {
    const lastEventId = whole[from]?.id ?? '';
    expect(await all(events(api, id, { lastEventId }))).toEqual(whole.slice(from + 1));
    expect(await all(events(api, id, { query: `?last_event_id=${lastEventId}` }))).toEqual(whole.slice(from + 1));
  }
  // Of the last entry nothing is left but the end.
  const afterLast = await all(events(api, id, { lastEventId: whole.at(-2)?.id ?? '' }));
  expect(afterLast.map(({ event }) => event)).toEqual(['end']);
});

test('a wrong Last-Event-ID is refused', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const { status, body } = await api.call(`/jobs/${id}/events`, { headers: { 'last-event-id': 'x' } });
  expect([status, body.msg]).toEqual([400, expect.stringContaining('Last-Event-ID')]);
});

test('a client that is broken off and comes again sees every event once', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const journal = await take(api, id);
  const seen: Sse[] = [];
  const leave = new AbortController();
  const first = (async () => {
    for await (const event of events(api, id, { signal: leave.signal })) {
      seen.push(event);
      if (event.event === 'batch-finished') leave.abort();
    }
  })().catch(() => undefined);
  await rollBatch(journal, 0);
  await first;
  const rest = all(events(api, id, { lastEventId: seen.at(-1)?.id ?? '' }));
  await rollBatch(journal, 1);
  await finish(journal);
  seen.push(...(await rest));
  expect(seen).toEqual(await all(events(api, id)));
});

test('a slow reader holds up nobody, and still gets every event', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const journal = await take(api, id);
  const slow = events(api, id);
  await slow.next();
  const quick = all(events(api, id));
  const message = 'x'.repeat(20_000);
  for (let i = 0; i < 600; i += 1) await journal.append({ type: 'log', level: 'info', message: `${i} ${message}` });
  await finish(journal);
  const seen = await quick;
  expect(seen.filter(({ event }) => event === 'log')).toHaveLength(600);
  expect(await all(slow)).toEqual(seen.slice(1));
});

test('a stream lives through a restart of Redis, with no event lost or doubled', async ({ start }) => {
  const api = await start({ aof: true });
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const stream = events(api, id);
  // It has been let in: without Redis it would be refused.
  const first = await stream.next();
  const live = all(stream);
  const journal = await take(api, id);
  await rollBatch(journal, 0);
  await api.redisServer.restart();
  await expect.poll(() => api.redis.ping().catch(() => '')).toBe('PONG');
  await rollBatch(journal, 1);
  await finish(journal);
  const seen = await live;
  expect([first.value, ...seen]).toEqual(await all(events(api, id)));
  expect(seen.at(-1)?.event).toBe('end');
});

test('any number of streams read with one connection', async ({ start }) => {
  const api = await start();
  const accepted = await Promise.all([api.rex(DEPLOY), api.rex({ action: 'check', k: 'shop' })]);
  const ids = accepted.map(({ body }) => body.job?.id ?? '');
  const clients = async (what: string) =>
    Number(new RegExp(`^${what}:(\\d+)`, 'm').exec(await api.redis.info('clients'))?.[1]);
  const stream = async (_: unknown, at: number) => {
    const one = events(api, ids[at % 2] ?? '');
    expect((await one.next()).value?.event).toBe('accepted');
    return one;
  };
  // With the first one all connections are there that the API will ever have.
  const streams = [await stream(undefined, 0)];
  const before = await clients('connected_clients');
  streams.push(...(await Promise.all(Array.from({ length: 59 }, stream))));
  await expect.poll(() => clients('blocked_clients')).toBe(1);
  expect([await clients('connected_clients'), await clients('blocked_clients')]).toEqual([
    before,
    expect.toBeOneOf([0, 1]),
  ]);
  for (const id of ids) {
    const journal = await take(api, id);
    await finish(journal);
  }
  for (const rest of await Promise.all(streams.map(all))) expect(rest.at(-1)?.event).toBe('end');
});

test('streams and waits end at once when the process is stopped', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const other = (await api.rex({ action: 'check', k: 'shop' })).body.job?.id ?? '';
  const live = events(api, id);
  expect((await live.next()).value?.event).toBe('accepted');
  const seen = await monitored(api.redisServer.url);
  const waiting = api.call(`/jobs/${other}?wait=60`);
  // It waits as soon as the journal is read that it waits for.
  await seen((words) => /^"xread"/i.test(words) && words.includes(`"${api.keys.journal(other)}"`));
  const begun = Date.now();
  await api.api.stop();
  expect(await api.api.child.exited).toEqual({ code: 0, signal: null });
  expect(Date.now() - begun).toBeLessThan(4000);
  expect(await all(live)).toEqual([]);
  expect((await waiting).body.job?.state).toBe('queued');
});
