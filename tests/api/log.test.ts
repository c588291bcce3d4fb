import { expect } from 'vitest';
import type { ApiUnderTest } from './api-under-test.js';
import { test } from './fixtures.js';

interface Line {
  level: number;
  msg: string;
  reqId?: string;
  req?: { method: string; url: string };
  res?: { statusCode: number };
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

test('what was said before the end of the process is in the log', async ({ start }) => {
  const api = await start();
  await api.call('/healthz');
  await api.api.stop();
  expect(linesOf(api).map(({ msg }) => msg)).toEqual(expect.arrayContaining(['request completed', 'stopping']));
});
