import { request } from 'undici';
import { expect } from 'vitest';
import type { ApiUnderTest } from './api-under-test.js';
import { finish, take } from './fake-worker.js';
import { test } from './fixtures.js';
import { monitored } from './monitored.js';
import { all, events } from './sse.js';

interface Line {
  level: number;
  msg: string;
  reqId?: string;
  req?: { method: string; url: string };
  res?: { statusCode: number };
  responseTime?: number;
}

const linesOf = (api: ApiUnderTest): Line[] =>
  api
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Line => JSON.parse(line));

test('every request is in the log: one that only looks with one line, one that may change something with two', async ({
  start,
}) => {
  const api = await start();
  const { job } = (await api.rex({ action: 'deploy', k: 'server', senv: 'uat' })).body;
  const paths = [`/jobs/${job?.id}?token=${api.token}`, '/jobs/none', '/healthz'];
  await Promise.all(paths.map((path) => api.call(path)));
  const done = () => linesOf(api).filter(({ msg }) => msg === 'request completed');
  await expect.poll(() => done().length).toBe(4);

  const [accepted, ...looked] = done();
  const ofAccepted = linesOf(api).filter(({ reqId, msg }) => reqId === accepted?.reqId && msg.includes('request'));
  expect(ofAccepted.map(({ msg, req, res }) => [msg, req?.method, req?.url, res?.statusCode])).toEqual([
    ['incoming request', 'POST', '/rex', undefined],
    ['request completed', undefined, undefined, 202],
  ]);
  const masked = `${api.token.slice(0, 10)}…${api.token.slice(-4)}`;
  expect(looked.map(({ req, res }) => `${req?.method} ${req?.url} ${res?.statusCode}`).toSorted()).toEqual([
    'GET /healthz 200',
    `GET /jobs/${job?.id}?token=${masked} 200`,
    'GET /jobs/none 404',
  ]);
  expect(linesOf(api).filter(({ msg }) => msg === 'incoming request').length).toBe(1);
  expect(api.log()).not.toContain(api.token);
});

test('a stream and a wait that the client leaves have their line all the same, and those that are answered no other', async ({
  start,
}) => {
  const api = await start();
  const id = (await api.rex({ action: 'deploy', k: 'server', senv: 'uat' })).body.job?.id ?? '';
  const other = (await api.rex({ action: 'check', k: 'shop' })).body.job?.id ?? '';
  const leave = new AbortController();
  const stream = events(api, id, { signal: leave.signal });
  await stream.next();
  const stays = events(api, id);
  await stays.next();
  const seen = await monitored(api.redisServer.url);
  const headers = { authorization: `Bearer ${api.token}` };
  const wait = request(`${api.api.url}/jobs/${other}?wait=3600`, { headers, signal: leave.signal });
  // It waits as soon as the journal is read that it waits for.
  await seen((words) => /^"xread"/i.test(words) && words.includes(`"${api.keys.journal(other)}"`));
  leave.abort();
  await expect(stream.next()).rejects.toThrow('aborted');
  await expect(wait).rejects.toThrow('aborted');

  const left = () => linesOf(api).filter(({ msg }) => msg === 'request left');
  await expect.poll(() => left().length).toBe(2);
  const journal = await take(api, id);
  await finish(journal);
  expect((await all(stays)).at(-1)?.event).toBe('end');
  await api.api.stop();
  const paths = [`/jobs/${id}/events`, `/jobs/${other}?wait=3600`];
  expect(new Set(left().map(({ req }) => `${req?.method} ${req?.url}`))).toEqual(
    new Set(paths.map((path) => `GET ${path}`)),
  );
  for (const { level, reqId, responseTime } of left()) {
    expect([level, typeof responseTime]).toEqual([30, 'number']);
    expect(linesOf(api).filter((line) => line.reqId === reqId)).toHaveLength(1);
  }
  const answered = linesOf(api).filter(({ req, msg }) => req?.url === paths[0] && msg === 'request completed');
  expect(answered).toHaveLength(1);
  expect(left()).toHaveLength(2);
});

test('what was said before the end of the process is in the log', async ({ start }) => {
  const api = await start();
  await api.call('/healthz');
  await api.api.stop();
  expect(linesOf(api).map(({ msg }) => msg)).toEqual(expect.arrayContaining(['request completed', 'stopping']));
});
