import { dirname } from 'node:path';
import { createToken } from '@rexdeploy/sandbox/controller';
import { Redis } from 'ioredis';
import { expect } from 'vitest';
import { Client } from './support/client.js';
import { expectSound } from './support/invariants.js';
import { type Stand, test } from './support/stand.js';

/** `Deploy:Db:initdb`: what a deployment left locked is freed, and what lives is named and left alone. */

const UNLOCK = { action: 'Deploy:Db:initdb', k: 'server', wait: '60' };
const FAST = { worker: { lock: '2s', stalled_check: '500ms' } };

const admin = async (stand: Stand): Promise<Client> =>
  new Client(stand.api.url, await createToken(stand.configFile, 'admin', ['--role', 'admin']));

async function redisOf<T>({ redis }: Stand, work: (redis: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.url);
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

test('only an administrator unlocks', async ({ start }) => {
  const { client } = await start({ workers: 0 });
  const { status, body } = await client.rex(UNLOCK);
  expect(status).toBe(403);
  expect(body.msg).toContain('needs the role admin');
});

test('a deployment that lives is named and left alone; force cancels it first', async ({ start }) => {
  const stand = await start();
  const boss = await admin(stand);
  const { body } = await stand.client.rex({ action: 'deploy', k: 'server', senv: 'uat', hold: '1' });
  const id = body.job?.id ?? '';
  for await (const { type } of stand.client.events(id)) if (type === 'held') break;
  const refused = await boss.rex(UNLOCK);
  expect(refused.status).toBe(409);
  expect(refused.body.msg).toContain(`(server)--is held by ${id}, which is held since`);
  expect(refused.body.job?.id).toBe(id);

  const freed = await boss.rex({ ...UNLOCK, force: '1' });
  expect(freed.body.job?.state).toBe('succeeded');
  expect((await stand.client.get(`/jobs/${id}`)).body.job?.state).toBe('cancelled');
  expect((await stand.client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand);
});

test('a deployment that Redis lost, or whose journal nobody can read, holds its name no longer', async ({ start }) => {
  const stand = await start({ workers: 0 });
  const boss = await admin(stand);
  const lost = await stand.client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  await redisOf(stand, (redis) => redis.del(`rex:dep:${lost.body.job?.id}`, `rex:dep:${lost.body.job?.id}:journal`));
  expect((await stand.client.rex({ action: 'deploy', k: 'server', senv: 'uat' })).status).toBe(409);
  await stand.addWorker();
  expect((await boss.rex(UNLOCK)).body.job?.state).toBe('succeeded');

  await stand.workers[0]?.stop();
  const odd = await stand.client.rex({ action: 'deploy', k: 'server', senv: 'uat' });
  await redisOf(stand, (redis) =>
    redis.xadd(`rex:dep:${odd.body.job?.id}:journal`, '*', 'e', '{"type":"of tomorrow"}'),
  );
  await stand.addWorker();
  expect((await boss.rex(UNLOCK)).body.job?.state).toBe('succeeded');
  expect((await stand.client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand);
});

test("another controller's lock on a host keeps us out, says whose it is, and is broken by force alone", async ({
  start,
}) => {
  const stand = await start({ config: FAST });
  const boss = await admin(stand);
  const { programDir } = stand.fleet.instance('server2');
  const folder = `${dirname(programDir)}/.rexdeploy`;
  const name = programDir.slice(dirname(programDir).length + 1);
  // As a controller leaves it that died in the middle of a roll-out.
  await stand.fleet
    .hostOf('server2')
    .ssh(
      `mkdir -p ${folder}/${name}.lock && echo "elsewhere dep-theirs vm-1 2026-01-01T00:00:00Z" > ${folder}/${name}.lock/owner`,
    );
  const refused = await stand.client.deploy({ k: 'server', senv: 'uat' });
  expect(refused.body.job?.state).toBe('failed');
  expect(refused.body.msg).toContain(
    'locked by deployment dep-theirs (worker vm-1, controller elsewhere) since 2026-01-01',
  );
  expect(refused.body.msg).toContain('action=Deploy:Db:initdb&k=server&force=1');

  const stays = await boss.rex(UNLOCK);
  expect(stays.body.job?.state).toBe('failed');
  expect(stays.body.msg).toContain("server2 is held by another controller's deployment dep-theirs");
  expect((await boss.rex({ ...UNLOCK, force: '1' })).body.job?.state).toBe('succeeded');
  expect((await stand.client.deploy({ k: 'server', senv: 'uat' })).body.job?.state).toBe('succeeded');
  await expectSound(stand);
});

test('without a name all that the token is for are unlocked', async ({ start }) => {
  const stand = await start();
  const boss = await admin(stand);
  const { status, body } = await boss.rex({ action: 'Deploy:Db:initdb' });
  expect(status).toBe(202);
  expect(body.data.data).toMatchObject({ '0': { k: 'server' } });
});
