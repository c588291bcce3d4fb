import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { finish, rollBatch, rollOut, take } from './fake-worker.js';
import { test } from './fixtures.js';
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
  const live = all(events(api, id));
  const second = all(events(api, id));
  await pause(300);
  await rollOut(api, id);

  const waited = (await held).body;
  const seenLive = await live;
  const replayed = await all(events(api, id));
  expect(endOf(seenLive)).toEqual(waited);
  expect(endOf(await second)).toEqual(waited);
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
  const live = all(events(api, id));
  const journal = await take(api, id);
  await rollBatch(journal, 0);
  await api.redisServer.restart();
  await expect.poll(() => api.redis.ping().catch(() => ''), { timeout: 10_000 }).toBe('PONG');
  await rollBatch(journal, 1);
  await finish(journal);
  const seen = await live;
  expect(seen).toEqual(await all(events(api, id)));
  expect(seen.at(-1)?.event).toBe('end');
});

test('streams and waits end at once when the process is stopped', async ({ start }) => {
  const api = await start();
  const id = (await api.rex(DEPLOY)).body.job?.id ?? '';
  const live = all(events(api, id));
  const waiting = api.call(`/jobs/${id}?wait=60`);
  await pause(500);
  const begun = Date.now();
  await api.api.stop();
  expect(await api.api.child.exited).toEqual({ code: 0, signal: null });
  expect(Date.now() - begun).toBeLessThan(4000);
  expect((await live).map(({ event }) => event)).toEqual(['accepted']);
  expect((await waiting).body.job?.state).toBe('queued');
});
