import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { ApiUnderTest } from './api-under-test.js';
import { finish, take } from './fake-worker.js';
import { test } from './fixtures.js';
import { expectSoon, timed } from './timed.js';

/** Polling a job: what is kept of former answers is never seen. */

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat', sprint: '1' };
const AT_ONCE = 40;

let api: ApiUnderTest;

beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.close());

async function accept(on = api): Promise<string> {
  const { status, body } = await on.rex(DEPLOY);
  expect(status).toBe(202);
  return body.job?.id ?? '';
}

test('every poll that comes after an event tells of it, however many come at once', async () => {
  const id = await accept();
  const journal = await take(api, id);
  for (let round = 1; round <= 20; round += 1) {
    const early = Array.from({ length: AT_ONCE }, () => api.call(`/jobs/${id}`));
    await journal.append({ type: 'log', level: 'info', message: `message ${round}.` });
    const late = await Promise.all(Array.from({ length: AT_ONCE }, () => api.call(`/jobs/${id}`)));
    for (const { status, body } of late)
      expect([status, body.respon.stdout.includes(`message ${round}.`)]).toEqual([200, true]);
    for (const { status } of await Promise.all(early)) expect(status).toBe(200);
  }
  await finish(journal);
  const [one, ...others] = await Promise.all(Array.from({ length: AT_ONCE }, () => api.call(`/jobs/${id}`)));
  expect(one?.body).toMatchObject({ data: { code: '0' }, job: { id, state: 'succeeded' } });
  for (const { text } of others) expect(text).toBe(one?.text);
});

test('`take` of a running job goes on', async () => {
  const id = await accept();
  const journal = await take(api, id);
  const take0 = Number((await api.call(`/jobs/${id}`)).body.take);
  await expect.poll(async () => Number((await api.call(`/jobs/${id}`)).body.take)).toBeGreaterThan(take0);
  await finish(journal);
});

test('who may not see a job does not get the answer that another got, nor does a token that was revoked', async () => {
  const id = await accept();
  const other = await api.tokens.create({ name: 'other', names: 'shop*' });
  const short = await api.tokens.create({ name: 'short' });
  const poll = (token: string | null) => api.call(`/jobs/${id}`, { token });
  const turns = async () => {
    const all = await Promise.all([api.token, other, short, null, api.token, `1527665686${'x'.repeat(32)}`].map(poll));
    return all.map(({ status }) => status);
  };
  expect(await turns()).toEqual([200, 403, 200, 401, 200, 401]);
  await api.tokens.revoke('short');
  expect(await turns()).toEqual([200, 403, 401, 401, 200, 401]);
  await finish(await take(api, id));
});

test('each gets the types it asks for, HEAD no body, and a misspelt parameter is refused', async () => {
  const id = await accept();
  await finish(await take(api, id));
  const accepts = ['application/json', 'application/json; envelope=original', 'application/json; envelope=page'];
  for (let round = 0; round < 2; round += 1) {
    const answers = await Promise.all(
      accepts.map((accept) =>
        fetch(`${api.api.url}/jobs/${id}`, { headers: { accept, authorization: `Bearer ${api.token}` } }),
      ),
    );
    const takes = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { take: unknown }).take));
    expect(takes.map((value) => typeof value)).toEqual(['string', 'number', 'string']);
    for (const { headers } of answers) expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  }
  const { text } = await api.call(`/jobs/${id}`);
  const headers = { authorization: `Bearer ${api.token}` };
  const head = await fetch(`${api.api.url}/jobs/${id}`, { method: 'HEAD', headers });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(Buffer.byteLength(text))]);
  const wrong = await api.call(`/jobs/${id}?wiat=3`);
  expect([wrong.status, wrong.body.msg]).toEqual([400, expect.stringContaining('"wiat"')]);
});

test('polls of a job that is known are 503 within three seconds while Redis is frozen', async ({ start }) => {
  const own = await start();
  const id = await accept(own);
  expect((await own.call(`/jobs/${id}`)).status).toBe(200);
  own.redisServer.freeze();
  const polls = [];
  for (let count = 0; count < 10; count += 1) {
    polls.push(timed(() => own.call(`/jobs/${id}`)));
    // They come in different turns of the event loop.
    await pause(20);
  }
  const answers = await Promise.all(polls);
  for (const [{ status, headers }] of answers) expect([status, headers['retry-after']]).toEqual([503, '5']);
  expectSoon(answers.map(([, ms]) => ms));
  own.redisServer.thaw();
  await expect.poll(async () => (await own.call(`/jobs/${id}`)).status).toBe(200);
});
