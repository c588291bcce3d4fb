import { dirname } from 'node:path';
import { Redis } from 'ioredis';
import { beforeAll, expect } from 'vitest';
import type { Client } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { standForAll, test } from './support/stand.js';

/** `Deploy:Db:initdb`: what a deployment left locked is freed, and what lives is named and left alone. */

const UNLOCK = { action: 'Deploy:Db:initdb', k: 'server', wait: '60' };
const stand = standForAll({ fleet: { names: 2 }, config: { worker: { lock: '2s', stalled_check: '500ms' } } });
let boss: Client;
beforeAll(async () => {
  boss = await stand().clientFor({ name: 'boss', role: 'admin' });
});

async function withRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(stand().redis.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

test('only an administrator unlocks', async () => {
  const { status, body } = await stand().client.rex(UNLOCK);
  expect(status).toBe(403);
  expect(body.msg).toContain('needs the role admin');
});

test('a deployment that lives is named and left alone; force cancels it first', async () => {
  const { body } = await stand().client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  const id = body.job?.id ?? '';
  for await (const { type } of stand().client.events(id)) if (type === 'held') break;
  const refused = await boss.rex(UNLOCK);
  expect(refused.status).toBe(409);
  expect(refused.body.msg).toContain(`(server)--is held by ${id}, which is held since`);
  expect(refused.body.job?.id).toBe(id);

  const freed = await boss.rex({ ...UNLOCK, force: '1' });
  expect(freed.body.job?.state).toBe('succeeded');
  expect((await stand().client.get(`/jobs/${id}`)).body.job?.state).toBe('cancelled');
  expect((await stand().client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand());
});

test('a deployment that Redis lost, or whose journal nobody can read, holds its name no longer', async () => {
  // As if none were there; what it misses meanwhile it finds when it goes on.
  const [worker] = stand().workers;
  worker?.freeze();
  const lost = await stand().client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  await withRedis((redis) => redis.del(`rex:dep:${lost.body.job?.id}`, `rex:dep:${lost.body.job?.id}:journal`));
  expect((await stand().client.rex({ action: 'deploy', k: 'server', senv: 'uat' })).status).toBe(409);
  const seen = (await stand().client.get('/names/server')).body.data.lock;
  expect(seen).toEqual({ owner: lost.body.job?.id, state: {}, since: {} });
  worker?.thaw();
  expect((await boss.rex(UNLOCK)).body.job?.state).toBe('succeeded');

  worker?.freeze();
  const odd = await stand().client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  await withRedis((redis) => redis.xadd(`rex:dep:${odd.body.job?.id}:journal`, '*', 'e', '{"type":"of tomorrow"}'));
  const unread = await stand().client.get(`/jobs/${odd.body.job?.id}`);
  expect(unread).toMatchObject({ status: 500, body: { code: '-1' } });
  expect(unread.body.msg).toMatch(/cannot read: \{"type":"of tomorrow"\}; run a version .* action=Deploy:Db:initdb/);
  // As a worker of tomorrow has it that is at work on it.
  const beat = (seenMs: number) =>
    withRedis(async (redis) => {
      await redis.hset(`rex:dep:${odd.body.job?.id}`, 'state', 'running', 'worker', 'of-tomorrow');
      await redis.zadd('rex:workers', seenMs, 'of-tomorrow');
    });
  await beat(Date.now());
  expect((await boss.rex(UNLOCK)).body.msg).toMatch(/is held by .*, which is running since .*, worker of-tomorrow/);
  await beat(Date.now() - 60_000);
  worker?.thaw();
  expect((await boss.rex(UNLOCK)).body.job?.state).toBe('succeeded');
  expect((await stand().client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand());
});

test("another controller's lock on a host keeps us out, says whose it is, and is broken by force alone", async () => {
  const { programDir } = stand().fleet.instance('server2');
  const folder = `${dirname(programDir)}/.rexdeploy`;
  const name = programDir.slice(dirname(programDir).length + 1);
  // As a controller leaves it that died in the middle of a roll-out.
  await stand()
    .fleet.hostOf('server2')
    .ssh(
      `mkdir -p ${folder}/${name}.lock && echo "elsewhere dep-theirs vm-1 2026-01-01T00:00:00Z" > ${folder}/${name}.lock/owner`,
    );
  const refused = await stand().client.deploy({ k: 'server', senv: 'uat' });
  expect(refused.body.job?.state).toBe('failed');
  expect(refused.body.msg).toContain(
    'locked by deployment dep-theirs (worker vm-1, controller elsewhere) since 2026-01-01',
  );
  expect(refused.body.msg).toContain('action=Deploy:Db:initdb&k=server&force=1');

  const stays = await boss.rex(UNLOCK);
  expect(stays.body.job?.state).toBe('failed');
  expect(stays.body.msg).toContain("server2 is held by another controller's deployment dep-theirs");
  expect((await boss.rex({ ...UNLOCK, force: '1' })).body.job?.state).toBe('succeeded');
  expect((await stand().client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand());
});

test('without a name all that the token is for are unlocked', async () => {
  const held = (await boss.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' })).body.job?.id ?? '';
  for await (const { type } of boss.events(held)) if (type === 'held') break;
  const { status, body } = await boss.rex({ action: 'Deploy:Db:initdb' });
  expect(status).toBe(202);
  // One that lives keeps nobody else locked.
  expect(body.data.data).toMatchObject({ '0': { k: 'app2' } });
  expect(body.data.msg).toContain(`1 names are being unlocked; (server)--is held by ${held}, which is held`);
});
