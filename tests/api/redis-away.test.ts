import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi } from '@rexdeploy/sandbox/controller';
import { findFreePort } from '@rexdeploy/sandbox/ports';
import { dump } from 'js-yaml';
import { request } from 'undici';
import { expect } from 'vitest';
import { type ApiUnderTest, configOf } from './api-under-test.js';
import { test } from './fixtures.js';
import { expectSoon, timed } from './timed.js';

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

async function expectUnavailable(api: ApiUnderTest): Promise<void> {
  const asked = [
    () => api.rex(DEPLOY),
    () => api.call('/jobs'),
    () => api.call('/names/server'),
    () => api.call('/readyz'),
  ];
  const answers = await Promise.all(asked.map(timed));
  expectSoon(answers.map(([, ms]) => ms));
  for (const [{ status, headers, body }] of answers) {
    expect([status, headers['retry-after'], body.code]).toEqual([503, '5', '-1']);
    expect(body.msg).toContain('Redis does not answer');
  }
  expect((await api.call('/healthz')).status).toBe(200);
}

test('with a frozen Redis every answer is 503 within three seconds, and all is well when it thaws', async ({
  start,
}) => {
  const api = await start();
  expect((await api.call('/names')).status).toBe(200);
  api.redisServer.freeze();
  await expectUnavailable(api);
  await expectUnavailable(api);
  api.redisServer.thaw();
  await expect.poll(async () => (await api.call('/names')).status).toBe(200);
  await expect.poll(async () => (await api.rex(DEPLOY)).status).toBeOneOf([202, 409]);
});

test('a killed Redis means 503, and a new one is used as soon as it is there', async ({ start }) => {
  const api = await start({ aof: true });
  await api.redisServer.kill();
  await expectUnavailable(api);
  await api.redisServer.restart();
  await expect.poll(async () => (await api.call('/names')).status).toBe(200);
  expect((await api.rex(DEPLOY)).status).toBe(202);
  expect((await api.enqueued()).tickets).toBe(1);
});

test('the API answers before Redis is there', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'rex-api-'));
  const port = await findFreePort('127.0.0.1');
  await writeFile(join(dir, 'config.yml'), dump(configOf(`redis://127.0.0.1:${port}`)));
  const api = await startApi({ config: join(dir, 'config.yml') });
  try {
    const begun = Date.now();
    const answer = await request(`${api.url}/names`, {
      headers: { authorization: `Bearer 1527665686${'a'.repeat(32)}` },
    });
    expect(answer.statusCode).toBe(503);
    expect(Date.now() - begun).toBeLessThan(3000);
    expect(await answer.body.json()).toMatchObject({ code: '-1', respon: { ret: '1' } });
  } finally {
    await api.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

test('readiness needs a worker that was seen lately', async ({ start }) => {
  const api = await start();
  const none = await api.call('/readyz', { token: null });
  expect([none.status, none.body.msg]).toEqual([503, expect.stringContaining('no worker was seen in the last 30 s')]);
  await api.redis.zadd(api.keys.workers, Date.now() - 31_000, 'gone');
  expect((await api.call('/readyz', { token: null })).status).toBe(503);
  await api.redis.zadd(api.keys.workers, Date.now(), 'here');
  const ready = await api.call('/readyz', { token: null });
  expect([ready.status, ready.body.data.workers]).toEqual([200, '1']);
});
