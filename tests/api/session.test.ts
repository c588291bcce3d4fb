import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiUnderTest, type Call } from './api-under-test.js';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.close());

/** As a browser sends it from a page of the API itself. */
const OWN = { 'sec-fetch-site': 'same-origin', 'x-rex-dashboard': '1' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const logIn = (token: string, headers: Record<string, string> = {}) =>
  api.call('/session', {
    method: 'POST',
    token: null,
    headers: { ...FORM, ...headers },
    body: new URLSearchParams({ token }).toString(),
  });

/** What a browser would send back. */
const cookieOf = ({ headers }: { headers: Record<string, string | string[] | undefined> }): string =>
  String(headers['set-cookie']).split(';')[0] ?? '';

const by = (cookie: string, call: Call = {}): Call => ({ ...call, token: null, headers: { ...call.headers, cookie } });

const page = async (path: string, headers: Record<string, string> = {}, method: 'GET' | 'PUT' = 'GET') => {
  const answer = await request(`${api.api.url}${path}`, { method, headers: { accept: 'text/html', ...headers } });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
};

describe('the log-in', () => {
  test('keeps the token where no script can read it, and shows who it is', async () => {
    const token = await api.tokens.create({ name: 'ops', role: 'deployer', names: 'server,shop*' });
    const answer = await logIn(token);
    expect([answer.status, answer.body.data.name]).toEqual([200, 'ops']);
    expect(answer.headers['set-cookie']).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(answer.headers['cache-control']).toBe('no-store');
    const who = await api.call('/session', by(cookieOf(answer)));
    expect(who.body.data).toMatchObject({
      role: 'deployer',
      names: 'server,shop*',
      environment: 'prod',
      token: expect.stringMatching(/^\d{10}…[a-z]{4}$/),
    });
    expect(answer.text + who.text + api.log()).not.toContain(token);
    expect((await logIn(token, { 'x-forwarded-proto': 'https' })).headers['set-cookie']).toContain('; Secure');

    const out = await api.call('/session', by(cookieOf(answer), { method: 'DELETE' }));
    expect(out.headers['set-cookie']).toMatch(/^rex_session=; .*(Max-Age=0|1970)/);
  });

  test('ends with its token, revoked or expired, at once', async () => {
    const cookie = cookieOf(await logIn(await api.tokens.create({ name: 'gone' })));
    expect((await api.call('/names', by(cookie))).status).toBe(200);
    await api.tokens.revoke('gone');
    const refused = await api.call('/names', by(cookie));
    expect([refused.status, refused.body.msg]).toEqual([401, expect.stringContaining('revoked')]);
    const expired = await logIn(await api.tokens.create({ name: 'old', expiresMs: Date.now() - 1 }));
    expect([expired.status, expired.headers['set-cookie']]).toEqual([401, undefined]);
  });
});

describe('a change that only the cookie vouches for', () => {
  test('is refused unless our own page proves to want it', async () => {
    const cookie = cookieOf(await logIn(api.token));
    const { host } = new URL(api.api.url);
    const cancel = (headers: Record<string, string>) =>
      api.call('/jobs/none/cancel', by(cookie, { method: 'POST', headers }));
    const foreign: Record<string, string>[] = [
      {},
      { 'x-rex-dashboard': '1' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'cross-site', 'x-rex-dashboard': '1' },
      { 'sec-fetch-site': 'same-site', 'x-rex-dashboard': '1' },
      { origin: 'http://evil.example', 'x-rex-dashboard': '1' },
      { origin: 'null', 'x-rex-dashboard': '1' },
      { origin: `http://${host}` },
    ];
    for (const headers of foreign) {
      const answer = await cancel(headers);
      expect([headers, answer.status]).toEqual([headers, 403]);
      expect(answer.body.msg).toContain('does not prove that it comes from the dashboard');
    }
    const sent = { ...FORM, 'sec-fetch-site': 'cross-site' };
    const deploy = await api.rex({ action: 'deploy', k: 'server', senv: 'uat' }, by(cookie, { headers: sent }));
    expect([deploy.status, (await api.enqueued()).tickets]).toEqual([403, 0]);
    // The job is unknown, but who asks is not in doubt.
    expect((await cancel(OWN)).status).toBe(404);
    expect((await cancel({ origin: `http://${host}`, 'x-rex-dashboard': '1' })).status).toBe(404);
    expect((await api.call('/jobs/none/cancel', { method: 'POST' })).status).toBe(404);
    for (const method of ['POST', 'DELETE'] as const) {
      const answer = await api.call('/session', { method, token: null, headers: { 'sec-fetch-site': 'cross-site' } });
      expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
    }
  });
});

describe('the tokens', () => {
  test('are made, shown once, listed and revoked by administrators alone', async () => {
    const admin = await api.tokens.create({ name: 'root', role: 'admin' });
    const made = await api.call('/tokens', {
      method: 'POST',
      token: admin,
      headers: FORM,
      body: 'name=ci&role=viewer&names=server,%20shop*&expires=90d',
    });
    expect([made.status, made.body.data.names]).toEqual([201, 'server,shop*']);
    const token = String(made.body.data.token);
    expect(token).toMatch(/^\d{10}[a-z]{32}$/);
    expect(made.body.param.token).toMatch(/…/);
    expect((await api.call('/names', { token })).status).toBe(200);

    const all = await api.call('/tokens', { token: admin });
    expect(Object.values(all.body.data.data)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'tests', expires_at: {} }),
        expect.objectContaining({ name: 'root', role: 'admin' }),
        expect.objectContaining({ id: 'ci', role: 'viewer', token: expect.stringContaining('…') }),
      ]),
    );
    expect(all.text + api.log()).not.toContain(token);
    const again = await api.call('/tokens', { method: 'POST', token: admin, headers: FORM, body: 'name=ci' });
    expect([again.status, again.body.msg]).toEqual([409, expect.stringContaining('a token named "ci" exists')]);
    const wrong = 'name=a%20b&role=king&names=;&expires=soon';
    const faults = await api.call('/tokens', { method: 'POST', token: admin, headers: FORM, body: wrong });
    for (const name of ['name=', 'role=', 'names=', 'expires=']) expect(faults.body.msg).toContain(name);

    for (const caller of [token, api.token]) {
      expect((await api.call('/tokens', { token: caller })).status).toBe(403);
      expect((await api.call('/tokens/ci', { method: 'DELETE', token: caller })).status).toBe(403);
    }
    expect((await api.call('/tokens/ci', { method: 'DELETE', token: admin })).status).toBe(200);
    expect((await api.call('/names', { token })).status).toBe(401);
    expect((await api.call('/tokens/ci', { method: 'DELETE', token: admin })).status).toBe(404);
  });
});

describe('pages', () => {
  test('the dashboard is there without a token, loads nothing from outside, and its parts are kept', async () => {
    const index = await page('/');
    expect([index.status, index.headers['cache-control']]).toEqual([200, 'no-cache']);
    expect(index.headers['content-security-policy']).toMatch(/^default-src 'self';/);
    expect(index.headers['x-content-type-options']).toBe('nosniff');
    const parts = [...index.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(parts.filter((part) => !/^\/(assets\/|favicon\.svg$)/.test(part))).toEqual([]);
    const script = await page(parts.find((part) => part.endsWith('.js')) ?? '');
    expect([script.status, script.headers['cache-control']]).toEqual([200, 'public, max-age=31536000, immutable']);
    expect((await page('/assets/..%2f..%2fpackage.json')).status).toBeGreaterThanOrEqual(400);
    expect((await page('/assets/none.js')).status).toBe(404);
  });

  test('bull-board is for looking, for tokens that deploy; others are sent to the log-in', async () => {
    const sent = await page('/admin/queues/queue/deployments?x=1');
    expect([sent.status, sent.headers.location]).toEqual([302, '/?next=%2Fadmin%2Fqueues%2Fqueue%2Fdeployments']);
    expect((await page('/admin/queues/api/queues', { accept: 'application/json' })).status).toBe(401);
    const cookie = cookieOf(await logIn(api.token));
    const board = await page('/admin/queues', { cookie });
    expect(board.status).toBe(200);
    expect(board.text).toContain('Rexdeploy');
    expect(board.text).not.toMatch(/https?:\/\//);
    const queues = JSON.parse((await page('/admin/queues/api/queues', { cookie })).text);
    const names = ['deployments', 'notices'];
    expect(queues.queues).toEqual(names.map((name) => expect.objectContaining({ name, readOnlyMode: true })));
    const pause = await page('/admin/queues/api/queues/deployments/pause', { cookie, ...OWN }, 'PUT');
    expect(pause.status).toBe(403);
    const viewer = await api.tokens.create({ name: 'eyes', role: 'viewer' });
    expect((await page('/admin/queues', { cookie: `rex_session=${viewer}` })).status).toBe(403);
  });
});

describe('a log-in', () => {
  test('takes the token from the body alone, and only so many attempts a minute', async () => {
    const inAddress = await api.call(`/session?token=${api.token}`, { method: 'POST', token: null });
    expect([inAddress.status, inAddress.headers['set-cookie']]).toEqual([400, undefined]);
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 21; attempt += 1) statuses.push((await logIn('wrong')).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    expect((await logIn(api.token)).headers['retry-after']).toMatch(/^\d+$/);
  });
});
