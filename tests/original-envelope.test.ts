import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createToken } from '@rexdeploy/sandbox/controller';
import { setBehaviour } from '@rexdeploy/sandbox/program';
import { envelopeSchema } from '@rexdeploy/shared/api/envelope-schema';
import { Keys } from '@rexdeploy/shared/redis/keys';
import { Tokens } from '@rexdeploy/shared/tokens';
import { Redis } from 'ioredis';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rexInFolder } from './support/rex.js';
import { standForAll } from './support/stand.js';

/**
 * `api.envelope: original`, key by key and type by type against answers that the original gave. What differs stands in
 * docs/original-envelope.md, and nothing else does.
 */

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
interface Difference {
  file: string;
  path: string;
  original: string;
  ours: string;
}

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const recorded = (name: string): Json => JSON.parse(read(`tests/fixtures/original/answers/${name}.json`)) as Json;

const stand = standForAll({ fleet: { balancer: 'haproxy' }, config: { api: { envelope: 'original' } } });
const cli = rexInFolder();
const differences: Difference[] = [];
let token = '';
beforeAll(async () => {
  token = await createToken(stand().configFile, 'old-client');
});

async function send(params: Record<string, string>, as = token, headers: Record<string, string> = {}) {
  const answer = await request(`${stand().api.url}/rex${as === '' ? '' : `?token=${as}`}`, {
    method: 'POST',
    headersTimeout: 200_000,
    headers: { 'content-type': 'application/x-www-form-urlencoded', prefer: 'wait=120', ...headers },
    body: new URLSearchParams(params).toString(),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, text, body: JSON.parse(text) as { [key: string]: Json } };
}

const typeOf = (value: Json | undefined): string =>
  value === undefined ? 'absent' : value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;

/** Notes every key that only one of the two has, and every value of another type; of lists the first entries. */
function compare(file: string, original: Json | undefined, ours: Json | undefined, path = ''): void {
  const [was, is] = [typeOf(original), typeOf(ours)];
  if (was !== is) differences.push({ file, path, original: was, ours: is });
  else if (Array.isArray(original) && Array.isArray(ours)) {
    for (const [at, entry] of original.entries()) if (at < ours.length) compare(file, entry, ours[at], `${path}[]`);
  } else if (original !== null && typeof original === 'object' && ours !== null && typeof ours === 'object') {
    const [old, own] = [original as Record<string, Json>, ours as Record<string, Json>];
    expect(Object.keys(own), `order of keys in ${file} ${path}`).toEqual(Object.keys(own).toSorted());
    for (const key of new Set([...Object.keys(old), ...Object.keys(own)])) {
      compare(file, old[key], own[key], path === '' ? key : `${path}.${key}`);
    }
  }
}

async function same(name: string, params: Record<string, string>, status: number, as = token): Promise<Json> {
  const answer = await send(params, as);
  expect(answer.status, answer.text).toBe(status);
  compare(name, recorded(name), answer.body);
  return answer.body;
}

test('answers of what only looks', async () => {
  await same('list', { action: 'list' }, 200);
  await same('queryk', { action: 'queryk', k: 'server' }, 200);
  await same('checkurl', { action: 'checkurl', k: 'server' }, 200);
  await same('check-two', { action: 'check', k: 'server1 server2' }, 200);
});

test('refusals', async () => {
  await same('missing-action', { k: 'server' }, 400);
  await same('wrong-action', { action: 'nosuch', k: 'server' }, 400);
  await same('unknown-name', { action: 'deploy', k: 'nosuch', senv: 'uat' }, 404);
  expect(await same('rex-no-token', { action: 'list' }, 401, '')).toEqual(recorded('rex-no-token'));
  const redis = new Redis(stand().redis.url);
  const past = await new Tokens(redis, new Keys('rex')).create({ name: 'old', expiresMs: Date.now() - 1_000 });
  redis.disconnect();
  const expired = await same('expired-token', { action: 'list' }, 401, past);
  expect(JSON.stringify(expired)).not.toContain(past);
});

test('deployments, also one that fails and one that is refused, and a restart', async () => {
  const body = await same('deploy-uat', { action: 'deploy', k: 'server', senv: 'uat' }, 200);
  expect(body).toMatchObject({ code: 0, data: { code: '0', data: [{ code: 0 }, { code: 0 }, { code: 0 }] } });
  await same('service-restart', { action: 'service', k: 'server', a: 'restart' }, 200);

  const dir = stand().fleet.uatDirs.get('server')?.programDir ?? '';
  setBehaviour(dir, { fail: 'start' });
  await same('health-check-fails', { action: 'deploy', k: 'server', senv: 'uat' }, 200);
  rmSync(join(dir, 'behaviour.json'));
  const held = await send({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' }, token, { prefer: 'wait=0' });
  await same('locked-instance', { action: 'deploy', k: 'server', senv: 'uat' }, 409);
  const job = held.body.job as { url: string };
  await request(`${stand().api.url}${job.url}/cancel?token=${token}`, { method: 'POST' });
  await request(`${stand().api.url}${job.url}?wait=60&token=${token}`);
});

test('a client may ask for the documented types, whatever the configuration says', async () => {
  const page = await send({ action: 'list' }, token, { accept: 'application/json; envelope=page' });
  expect(envelopeSchema.parse(page.body).data.data).toEqual({ '0': 'server', '1': 'server1 server2 2' });
});

test('rex reads what it is used to, whatever the configuration says', async () => {
  const env = { REX_SERVER: stand().api.url, REX_TOKEN: token };
  const weights = await cli.rex(['weights', '--k', 'server'], env);
  expect(weights.code, weights.stderr).toBe(0);
  expect(weights.stdout).toMatch(/^INSTANCE +ROTATION +WEIGHT .*\nserver1 +in +1 +ready weight=1 +-\nserver2 +in +1 /);
  const set = await cli.rex(['weights', '--k', 'server1 server2', '--set', '0'], env);
  expect(set.code).toBe(1);
  expect(set.stdout).toContain('is the last healthy instance of server in rotation');
  const checked = await cli.rex(['checkurl', '--k', 'server'], env);
  expect(checked.code, checked.stderr).toBe(0);
  expect((await cli.rex(['names'], env)).stdout).toMatch(/\nserver +server1, server2 /);
});

afterAll(() => {
  const rows = [...read('docs/original-envelope.md').matchAll(/^\| `(\S+)` +\| `(\S+)` +\| (\w+) +\| (\w+) +\|/gm)].map(
    ([, file = '', path = '', original = '', ours = '']) => ({ file, path, original, ours }),
  );
  const matches = (row: Difference, found: Difference): boolean =>
    (row.file === '*' || row.file === found.file) &&
    (row.path === found.path || (row.path.endsWith('.*') && found.path.startsWith(row.path.slice(0, -1)))) &&
    (row.original === 'any' || row.original === found.original) &&
    row.ours === found.ours;
  expect(differences.filter((found) => !rows.some((row) => matches(row, found)))).toEqual([]);
  expect(rows.filter((row) => !differences.some((found) => matches(row, found)))).toEqual([]);
});
