import { expect } from 'vitest';
import type { ApiUnderTest } from './api-under-test.js';
import { at, finish, rollOut, take } from './fake-worker.js';
import { test } from './fixtures.js';

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

test('a deployment is accepted, queued once, and answered in the documented shape', async ({ start }) => {
  const api = await start();
  const { status, headers, body } = await api.rex(DEPLOY);
  expect(status).toBe(202);
  expect(body).toMatchObject({
    code: '0',
    data: { code: '1', data: {}, msg: 'server 灰度发布中' },
    param: { ...DEPLOY, token: `${api.token.slice(0, 10)}…${api.token.slice(-4)}` },
    parseparameters: { code: '0', msg: '校验和解析参数成功' },
    job: { state: 'queued', k: 'server', action: 'deploy', progress: { done: '0', total: '2' } },
  });
  const id = body.job?.id ?? '';
  expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(headers.location).toBe(`/jobs/${id}`);
  expect(await api.redis.lrange('rex:deployments:wait', 0, -1)).toEqual([id]);
  expect((await api.redis.hgetall(`rex:deployments:${id}`)).data).toBe(JSON.stringify({ deploymentId: id }));
});

test('token and parameters may come in the address, in a form or as JSON, to the same effect', async ({ start }) => {
  const api = await start();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const json = { 'content-type': 'application/json' };
  const ways = [
    { path: `/rex?token=${api.token}`, headers: form, body: 'action=deploy&k=server1&senv=uat&dry_run=1' },
    { path: '/rex', headers: form, body: `action=deploy&k=server1&senv=uat&dry_run=1&token=${api.token}` },
    {
      path: '/rex',
      headers: { ...form, authorization: `bearer ${api.token}` },
      body: 'action=deploy&k=server1&senv=uat&dry_run=1',
    },
    { path: `/rex?action=deploy&k=server1&senv=uat&dry_run=1&token=${api.token}`, headers: {}, body: undefined },
    {
      path: '/rex?action=deploy',
      headers: json,
      body: JSON.stringify({ k: 'server1', senv: 'uat', dry_run: 1, token: api.token }),
    },
  ];
  const params = [];
  for (const { path, headers, body } of ways) {
    const answer = await api.call(path, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
      token: null,
    });
    expect(answer.status, answer.text).toBe(202);
    expect(answer.text).not.toContain(api.token);
    params.push(answer.body.param);
    await rollOut(api, answer.body.job?.id ?? '');
  }
  for (const param of params) expect(param).toEqual(params[0]);
  expect(api.log()).not.toContain(api.token);
  expect(JSON.stringify(await api.redis.keys('*'))).not.toContain(api.token);
});

test('instances of one name are rolled in the order given, and lock the name', async ({ start }) => {
  const api = await start();
  const { status, body } = await api.rex({ ...DEPLOY, k: 'server2 server1' });
  expect(status).toBe(202);
  const journal = await take(api, body.job?.id ?? '');
  expect(journal.state.request).toMatchObject({
    name: 'server',
    batches: [['server2'], ['server1']],
    k: 'server2 server1',
  });
  expect((await api.rex(DEPLOY)).status).toBe(409);
});

test('a busy name is refused with the running job, and free again when it has ended', async ({ start }) => {
  const api = await start();
  const first = await api.rex(DEPLOY);
  const second = await api.rex(DEPLOY);
  expect(second.status).toBe(409);
  expect(second.body).toMatchObject({ code: '-1', msg: '(server)--is deploying', job: first.body.job });
  expect((await api.enqueued()).tickets).toBe(1);
  await rollOut(api, first.body.job?.id ?? '');
  expect((await api.rex(DEPLOY)).status).toBe(202);
});

test('of many requests for one name at once, one is accepted', async ({ start }) => {
  const api = await start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.rex(DEPLOY)));
  expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array.from({ length: 19 }, () => 409)]);
  expect((await api.enqueued()).tickets).toBe(1);
});

test('the same Idempotency-Key and body give the same job, another body 422', async ({ start }) => {
  const api = await start();
  const headers = { 'idempotency-key': 'build-4711' };
  const first = await api.rex(DEPLOY, { headers });
  const again = await api.rex(DEPLOY, { headers });
  expect([first.status, again.status]).toEqual([202, 202]);
  expect(again.body.job?.id).toBe(first.body.job?.id);
  await rollOut(api, first.body.job?.id ?? '');
  const afterTheEnd = await api.rex(DEPLOY, { headers });
  expect(afterTheEnd.body.job).toMatchObject({ id: first.body.job?.id, state: 'succeeded' });
  const other = await api.rex({ ...DEPLOY, k: 'server1' }, { headers });
  expect(other.status).toBe(422);
  expect(other.body).toMatchObject({ code: '-1' });
  const otherToken = await api.rex(DEPLOY, { headers, token: await api.tokens.create({ name: 'other' }) });
  expect(otherToken.body.job?.id).not.toBe(first.body.job?.id);
});

test('wait holds the answer until the end, however the wish is told', async ({ start }) => {
  const api = await start();
  const held = api.rex({ ...DEPLOY, wait: '30' });
  const id = await jobOf(api);
  await rollOut(api, id);
  const { status, body } = await held;
  expect(status).toBe(200);
  expect(body).toMatchObject({ code: '0', data: { code: '0', msg: 'server 全部灰度发布完成' }, respon: { ret: '0' } });
  expect(at(body, 'data', 'data', '2')).toEqual({ code: '0', msg: 'server have deploy finshed' });

  const preferred = api.rex(DEPLOY, { headers: { prefer: 'respond-async, wait=30' } });
  await rollOut(api, await jobOf(api, id));
  const answer = await preferred;
  expect([answer.status, answer.headers['preference-applied']]).toEqual([200, 'wait=30']);
});

test('wait ends with 202 when the time is up, and a poll waits on', async ({ start }) => {
  const api = await start();
  const begun = Date.now();
  const first = await api.rex({ ...DEPLOY, wait: '1' });
  expect(first.status).toBe(202);
  expect(Date.now() - begun).toBeGreaterThanOrEqual(1000);
  const id = first.body.job?.id ?? '';
  const polled = api.call(`/jobs/${id}?wait=30`);
  const journal = await take(api, id);
  await finish(journal, 'failed');
  const { status, body } = await polled;
  expect(status).toBe(200);
  expect(body).toMatchObject({ code: '-1', data: { code: '-1' }, respon: { ret: '1' }, job: { state: 'failed' } });
  expect(body.respon.stderr).toContain('server1 failed');
  expect((await api.call(`/jobs/${id}`)).body).toEqual(body);
});

test('a job is found, and the history pages through all of them, newest first', async ({ start }) => {
  const api = await start();
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    const { body } = await api.rex(i === 2 ? { action: 'deploy', k: 'server1', senv: 'uat' } : DEPLOY);
    ids.unshift(body.job?.id ?? '');
    await rollOut(api, ids[0] ?? '');
  }
  const seen: string[] = [];
  let cursor = '';
  for (let page = 0; page < 3; page += 1) {
    const { status, body } = await api.call(`/jobs?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    seen.push(...Object.values(body.data.data).map((job) => String(at(job as object, 'id'))));
    cursor = String(body.data.cursor);
  }
  expect(seen).toEqual(ids);
  expect(cursor).toBe('');
  expect(Object.keys((await api.call('/jobs?k=server&state=succeeded')).body.data.data)).toHaveLength(5);
  expect((await api.call('/jobs?k=server&state=running')).body.data).toMatchObject({ data: {}, cursor: '' });
  expect((await api.call('/jobs?k=shop')).body.data).toMatchObject({ data: {}, cursor: '' });
});

/** The newest job, once there is one that is not `former`. */
async function jobOf(api: ApiUnderTest, former = ''): Promise<string> {
  const newest = async () => (await api.redis.zrevrange(api.keys.all, 0, 0))[0] ?? former;
  await expect.poll(newest).not.toBe(former);
  return newest();
}
