import { expect } from 'vitest';
import { rollOut } from './fake-worker.js';
import { test } from './fixtures.js';

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

test('everything but the probes needs a token that is known, not expired and not revoked', async ({ start }) => {
  const api = await start();
  const token = await api.tokens.create({ name: 'short', expiresMs: Date.now() + 60_000 });
  const paths = ['/jobs', '/jobs/x', '/jobs/x/events', '/packages', '/names', '/names/server'];
  for (const path of paths) {
    const none = await api.call(path, { token: null });
    expect([none.status, none.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(none.body.msg).toMatch(/^token校验不通过: no token was given/);
    expect((await api.call(path, { token })).status).not.toBe(401);
  }
  expect((await api.call(`/names?token=${token}`, { token: null })).status).toBe(200);
  await api.tokens.revoke('short');
  const revoked = await api.call('/names', { token });
  expect([revoked.status, revoked.body.msg]).toEqual([401, expect.stringContaining('unknown or was revoked')]);
  const expired = await api.tokens.create({ name: 'old', expiresMs: Date.now() - 1 });
  expect((await api.call('/names', { token: expired })).body.msg).toContain('expired');
  expect((await api.call('/healthz', { token: null })).status).toBe(200);
});

test('a viewer reads and does nothing else', async ({ start }) => {
  const api = await start();
  const token = await api.tokens.create({ name: 'eye', role: 'viewer' });
  const refused = await api.rex(DEPLOY, { token });
  expect([refused.status, refused.body.code]).toEqual([403, '-1']);
  expect(refused.body.msg).toContain('viewer');
  // What is wrong with the parameters is told first.
  expect((await api.rex({ ...DEPLOY, full: '3' }, { token })).status).toBe(400);
  expect((await api.call('/packages', { method: 'POST', token })).status).toBe(403);
  expect(await api.enqueued()).toEqual({ deployments: [], tickets: 0 });
  const { body } = await api.rex(DEPLOY);
  expect((await api.call(`/jobs/${body.job?.id}`, { token })).status).toBe(200);
  expect((await api.call('/names', { token })).status).toBe(200);
});

test('a token for some names sees and deploys these alone', async ({ start }) => {
  const api = await start();
  const token = await api.tokens.create({ name: 'shops', names: 'shop*, bare' });
  const { body } = await api.rex(DEPLOY);
  const id = body.job?.id ?? '';
  await rollOut(api, id);
  for (const k of ['server', 'server1', 'unheard-of']) {
    expect((await api.rex({ ...DEPLOY, k }, { token })).status, k).toBe(403);
  }
  expect((await api.rex({ ...DEPLOY, k: 'shopping' }, { token })).status).toBe(404);
  for (const path of [`/jobs/${id}`, `/jobs/${id}/events`, '/jobs?k=server', '/names/server', '/packages?k=server']) {
    expect((await api.call(path, { token })).status, path).toBe(403);
  }
  expect((await api.call('/jobs', { token })).body.data).toMatchObject({ data: {}, cursor: '' });
  const names = (await api.call('/names', { token })).body.data.data;
  expect(Object.values(names)).toMatchObject([{ k: 'shop' }, { k: 'bare' }]);
});

test('more requests a minute than allowed get 429, for that token alone', async ({ start }) => {
  const api = await start({ rateLimit: 5 });
  const token = await api.tokens.create({ name: 'busy' });
  for (let i = 0; i < 5; i += 1) expect((await api.call('/names', { token })).status).toBe(200);
  const refused = await api.call('/names', { token });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  expect(refused.body.msg).toContain('5 requests a minute');
  expect((await api.rex(DEPLOY, { token })).status).toBe(429);
  expect((await api.call('/names')).status).toBe(200);
  for (let i = 0; i < 20; i += 1) expect((await api.call('/healthz', { token: null })).status).toBe(200);
});

test('no answer and no log line shows a token, wherever it is put', async ({ start }) => {
  const api = await start();
  const { token } = api;
  const answers = [
    await api.rex({ ...DEPLOY, k: token }),
    await api.rex({ ...DEPLOY, [token]: '1' }),
    await api.rex({ ...DEPLOY, url: `http://10.0.0.4/?token=${token}` }),
    await api.call(`/${token}?token=${token}`),
    await api.call(`/jobs/${token}`),
    await api.rex({ ...DEPLOY, senv: token }),
    await api.rex({ ...DEPLOY, token }, { headers: { authorization: `Basic ${token}` } }),
    await api.call(`/names?token=${token}x`, { token: null }),
  ];
  for (const { text } of answers) expect(text).not.toContain(token);
  expect(api.log()).not.toContain(token);
});
