import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarGz } from '@rexdeploy/sandbox/archives';
import { actions } from '@rexdeploy/shared/api/actions';
import { ApiClient } from '@rexdeploy/shared/api/client';
import { RefusedError, UnreachableError } from '@rexdeploy/shared/errors/client-errors';
import type { Journal } from '@rexdeploy/shared/journal/journal';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OpenApi } from '../support/document.js';
import { ApiUnderTest, type Call, multipart } from './api-under-test.js';
import { finish, rollBatch, rollOut, take } from './fake-worker.js';
import { all, events } from './sse.js';

/** Real answers against the document that the API itself serves. */

const RATE_LIMIT = 150;
let api: ApiUnderTest;
let openApi: OpenApi;
/** Operations that answered well. */
const answered = new Set<string>();

beforeAll(async () => {
  api = await ApiUnderTest.start({ rateLimit: RATE_LIMIT });
  openApi = new OpenApi(await (await fetch(`${api.api.url}/openapi.json`)).json());
});
afterAll(() => api.close());

/** One status, or several that will do. */
type Wanted = number | readonly number[];

/** Asks an operation, and holds its answer against the document. */
async function ask(operation: string, path: string, wanted: Wanted, options: Call = {}): Promise<string> {
  const [method = ''] = operation.split(' ');
  const { token = api.token, headers, body } = options;
  const answer = await request(`${api.api.url}${path}`, {
    method: method as 'GET',
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...(body === undefined ? {} : { body: body as string }),
  });
  const text = await answer.body.text();
  expect([wanted].flat(), text).toContain(answer.statusCode);
  const [media = ''] = String(answer.headers['content-type']).split(';');
  const value: unknown = media === 'application/json' ? JSON.parse(text) : text;
  expect(openApi.faultsOf(operation, answer.statusCode, media, value), `${method} ${path}`).toEqual([]);
  if (answer.statusCode < 300) answered.add(operation);
  return text;
}

const rex = (params: Record<string, string>, wanted: Wanted, options: Call = {}) =>
  ask('POST /rex', '/rex', wanted, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(params).toString(),
    ...options,
  });
const idOf = (text: string): string => JSON.parse(text).job.id;
const admin = () => api.tokens.create({ name: `admin-${answered.size}`, role: 'admin' });

const DEPLOY = { action: 'deploy', k: 'server', senv: 'uat' };

test('jobs answer as the document says: accepted, running, held, ended, listed, streamed', async () => {
  const id = idOf(await rex(DEPLOY, 202));
  await ask('GET /jobs/{id}', `/jobs/${id}`, 200);
  const begun = await take(api, id);
  await rollBatch(begun, 0);
  await ask('POST /jobs/{id}/hold', `/jobs/${id}/hold`, 202);
  await begun.append({ type: 'held', batch: 0 });
  await ask('POST /jobs/{id}/hold', `/jobs/${id}/hold`, 200);
  await ask('POST /jobs/{id}/resume', `/jobs/${id}/resume`, 202);
  const journal = await take(api, id);
  await drain(journal, 'server2');
  await ask('GET /drained', '/drained', 200);
  await ask('POST /jobs/{id}/cancel', `/jobs/${id}/cancel`, 202);
  await ask('GET /names', '/names', 200);
  await ask('GET /names/{k}', '/names/server', 200);
  await rollBatch(journal, 1);
  await finish(journal);
  await ask('GET /jobs/{id}', `/jobs/${id}?wait=5`, 200);
  await ask('GET /jobs', '/jobs?k=server', 200);

  const seen = await all(events(api, id));
  expect(seen.at(-1)?.event).toBe('end');
  for (const { data } of seen) {
    expect(openApi.faultsOf('GET /jobs/{id}/events', 200, 'text/event-stream', data), String(data.type)).toEqual([]);
  }
  answered.add('GET /jobs/{id}/events');

  const failing = idOf(await rex({ ...DEPLOY, k: 'server1' }, 202));
  await finish(await take(api, failing), 'failed');
  await ask('GET /jobs/{id}', `/jobs/${failing}`, 200);
});

test('the other actions answer as the document says', async () => {
  const dryRun = idOf(await rex({ ...DEPLOY, dry_run: '1' }, 202));
  const difference = { added: 1, changed: 0, removed: 0, unchanged: 2, bytes: 3, paths: ['+ a'] };
  const journal = await take(api, dryRun);
  await journal.append({ type: 'difference', instance: 'server1', program: difference, config: difference });
  await journal.append({ type: 'plan-hash', hash: 'a'.repeat(64) });
  await finish(journal);
  await ask('GET /jobs/{id}', `/jobs/${dryRun}`, 200);

  const check = idOf(await rex({ action: 'check', k: 'server' }, 202));
  const looking = await take(api, check);
  const findings = [{ check: 'log-in', ok: false, what: 'refused' }];
  await looking.append({ type: 'checked', instance: 'server1', findings });
  await finish(looking, 'failed');
  await ask('GET /jobs/{id}', `/jobs/${check}`, 200);

  await rex({ action: 'list' }, 200);
  const healthy = idOf(await rex({ action: 'checkurl', k: 'server' }, 202));
  const asked = await take(api, healthy);
  await asked.append({
    type: 'checked',
    instance: 'server1',
    findings: [{ check: 'health', ok: true, what: 'healthy' }],
  });
  await finish(asked);
  await ask('GET /jobs/{id}', `/jobs/${healthy}`, 200);
  const weights = idOf(await rex({ action: 'loadService:main:queryk', k: 'server' }, 202));
  const weighing = await take(api, weights);
  const seen = {
    instance: 'server1',
    in: true,
    rotation: 'weight 1',
    weight: 1,
    balancer: 'lb',
    host: 'h',
    errors: [],
  };
  await weighing.append({ type: 'observed', ...seen });
  await finish(weighing);
  await ask('GET /jobs/{id}', `/jobs/${weights}`, 200);

  const rollback = idOf(await rex({ action: 'rollback', k: 'server' }, 202));
  await rollOut(api, rollback);
  await ask('GET /jobs/{id}', `/jobs/${rollback}`, 200);
  await rollOut(api, idOf(await rex({ action: 'converge', k: 'server', to: 'newest' }, 202)));
  await rex({ action: 'mark', k: 'server', to: '20180530_043756' }, 200);

  const held = rex({ ...DEPLOY, wait: '30' }, 200);
  await expect.poll(async () => (await newest()).state).toBe('queued');
  await rollOut(api, (await newest()).id);
  await held;

  const unlocked = JSON.parse(await rex({ action: 'Deploy:Db:initdb' }, 202, { token: await admin() }));
  for (const { job } of Object.values<{ job: string }>(unlocked.data.data)) await finish(await take(api, job));
});

test('a look at a name, uploads, probes and pages answer as the document says', async () => {
  const observing = ask('GET /names/{k}', '/names/bare?observe=1', 200);
  await expect.poll(() => observer()).toBeDefined();
  const journal = await take(api, (await observer()) ?? '');
  await journal.append({ type: 'observed', instance: 'bare1', in: true, processes: 2, errors: [] });
  await finish(journal);
  await observing;

  const file = await archive();
  const form = (fields: Record<string, string>) =>
    multipart([
      ...Object.entries(fields).map(([name, value]) => ({ name, value })),
      { name: 'file', value: file, filename: 'app.tar.gz' },
    ]);
  const sha256 = createHash('sha256').update(file).digest('hex');
  await ask('POST /packages', '/packages', 200, form({ k: 'server', sha256 }));
  await ask('POST /packages', '/packages', 200, form({ k: 'server', kind: 'config', instance: 'server1' }));
  await ask('POST /packages', '/packages', 400, form({ k: 'server', sha256: 'f'.repeat(64) }));
  await ask('POST /packages', '/packages', 415, { headers: { 'content-type': 'text/plain' }, body: 'x' });
  await ask('GET /packages', '/packages?k=server', 200);

  await ask('GET /healthz', '/healthz', 200, { token: null });
  await ask('GET /readyz', '/readyz', 503, { token: null });
  await api.redis.zadd(api.keys.workers, Date.now(), 'worker');
  await ask('GET /readyz', '/readyz', 200, { token: null });
  await ask('GET /openapi.json', '/openapi.json', 200, { token: null });
  await ask('GET /docs', '/docs', 200, { token: null });
});

test('every example of a request is taken, and every action has one', async () => {
  const token = await api.tokens.create({ name: 'examples', role: 'admin' });
  const form = 'application/x-www-form-urlencoded';
  const { content = {} } = openApi.operations.get('POST /rex')?.requestBody ?? {};
  const bodies = Object.values(content[form]?.examples ?? {}).map(({ value }) => value as Record<string, string>);
  expect(new Set(bodies.map(({ action }) => action))).toEqual(new Set(Object.keys(actions)));
  for (const { wait: _, ...body } of bodies) {
    // No dry run has printed its hash.
    const text = await rex(body, body.plan === undefined ? [200, 202] : [409], { token });
    const { job } = JSON.parse(text);
    if (job !== undefined) await finish(await take(api, job.id));
  }
});

test('refusals answer as the document says', async () => {
  const viewer = await api.tokens.create({ name: 'viewer', role: 'viewer' });
  await ask('GET /healthz', '/healthz?%zz', 400, { token: null });
  await ask('GET /jobs', '/jobs?state=asleep', 400);
  await ask('GET /names', '/names', 401, { token: null });
  await ask('GET /names/{k}', '/names/nobody', 404);
  await ask('GET /jobs/{id}', '/jobs/none', 404);
  await ask('POST /jobs/{id}/cancel', '/jobs/none/cancel', 403, { token: viewer });
  await rex({ ...DEPLOY, full: '3' }, 400);
  await rex(DEPLOY, 403, { token: viewer });
  await rex({ ...DEPLOY, k: 'nobody' }, 404);
  await rex({}, 413, { body: `k=${'x'.repeat(1024 ** 2)}` });
  await rex({}, 415, { headers: { 'content-type': 'text/plain' }, body: 'x' });

  const form = { 'content-type': 'application/x-www-form-urlencoded', 'idempotency-key': 'one' };
  const shop = { action: 'rollback', k: 'shop' };
  const id = idOf(await rex(shop, 202, { headers: form }));
  await rex({ ...shop, to: '20180530_043756' }, 422, { headers: form });
  await rex(shop, 409);
  await rollOut(api, id);
  await ask('POST /jobs/{id}/cancel', `/jobs/${id}/cancel`, 409);

  const busy = await api.tokens.create({ name: 'busy', role: 'viewer' });
  const headers = { authorization: `Bearer ${busy}` };
  for (let i = 0; i < RATE_LIMIT; i += 1) await (await fetch(`${api.api.url}/drained`, { headers })).arrayBuffer();
  await ask('GET /drained', '/drained', 429, { token: busy });
});

test('every operation of the document was asked, and answered well', () => {
  expect([...answered].toSorted()).toEqual([...openApi.operations.keys()].toSorted());
});

test('the client made of the same table asks and reads with the types of each route', async () => {
  const client = new ApiClient({ base: api.api.url, token: api.token });
  const { data } = await client.call('GET /names');
  expect(data.data['0']?.instances['1']?.host).toBe('192.0.2.2');
  const truth = await client.call('GET /names/:k', { params: { k: 'server' }, query: { observe: '0' } });
  expect(truth.data.data['0']?.in_rotation).toBe('1');
  const { job } = await client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  expect(job).toMatchObject({ state: 'queued', k: 'server' });
  const again = client.rex({ action: 'rollback', k: 'server' });
  await expect(again).rejects.toThrow(RefusedError);
  await expect(again).rejects.toMatchObject({ status: 409, what: '(server)--is deploying', envelope: { job } });
  const cancelled = await client.call('POST /jobs/:id/cancel', { params: { id: job.id } });
  expect(cancelled.job.state).toBe('cancelled');
  expect(client.url('GET /jobs', { query: { k: 'server', state: 'failed' } })).toBe(
    `${api.api.url}/jobs?k=server&state=failed`,
  );
  expect(client.url('GET /jobs/:id', { params: { id: 'a/b' } })).toBe(`${api.api.url}/jobs/a%2Fb`);

  const nobody = new ApiClient({ base: 'http://127.0.0.1:9', token: 'x', advice: { unreachable: 'start it' } });
  await expect(nobody.call('GET /names')).rejects.toThrow(UnreachableError);
  await expect(nobody.call('GET /names')).rejects.toThrow(/cannot be reached: .+; start it$/);
  const somebody = new ApiClient({ base: '', fetch: async () => ({ status: 200, text: async () => '<html>' }) });
  await expect(somebody.call('GET /names')).rejects.toThrow('not that of a Rexdeploy API');
});

/** As far as the ledger is concerned. */
async function drain(journal: Journal, instance: string): Promise<void> {
  const found = { in: true, exact: 'server 192.0.2.2:6080;' };
  await journal.append({ type: 'step-started', instance, step: 'drain', found });
}

/** Id of the look at a name that waits for a worker; looks are in no list. */
async function observer(): Promise<string | undefined> {
  for (const id of await api.redis.smembers(api.keys.open)) {
    if ((await api.redis.hget(api.keys.record(id), 'action')) === 'observe') return id;
  }
  return undefined;
}

async function newest(): Promise<{ id: string; state: string }> {
  const [id = ''] = await api.redis.zrevrange(api.keys.all, 0, 0);
  return { id, state: (await api.redis.hget(api.keys.record(id), 'state')) ?? '' };
}

async function archive(): Promise<Buffer> {
  const tree = join(api.dir, 'tree');
  await mkdir(tree, { recursive: true });
  await writeFile(join(tree, 'hello.txt'), 'hello');
  await tarGz(tree, join(api.dir, 'tree.tar.gz'));
  return readFile(join(api.dir, 'tree.tar.gz'));
}
