import { startRedis } from '@rexdeploy/sandbox/redis';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import { LeaseLost } from '@rexdeploy/shared/errors/control-flow';
import { KeyReusedError, NameBusyError } from '@rexdeploy/shared/errors/request-errors';
import type { DeployRequest } from '@rexdeploy/shared/journal/events';
import { claim, readJournal } from '@rexdeploy/shared/journal/journal';
import { openRedis } from '@rexdeploy/shared/redis/connection';
import { Keys } from '@rexdeploy/shared/redis/keys';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const keys = new Keys('rex');
let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = openRedis(server.url, 'blocking', () => undefined);
});
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const request = (name: string, param: Record<string, string> = {}): DeployRequest => ({
  action: 'deploy',
  k: name,
  name,
  batches: [['one']],
  source: { kind: 'senv', environment: 'uat' },
  full: '1',
  dryRun: false,
  sprint: false,
  param: { action: 'deploy', k: name, ...param },
  by: 'ci',
});

test('a name is held by one deployment, from acceptance until the event that ends it', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const busy = await acceptDeployment(redis, keys, request('server')).catch((error: unknown) => error);
  expect(busy).toBeInstanceOf(NameBusyError);
  expect(busy).toMatchObject({ deploymentId: id, status: 409 });
  await acceptDeployment(redis, keys, request('other'));

  const journal = await claim(redis, keys, id, 'w1');
  await journal?.append({ type: 'finished', state: 'succeeded' });
  expect((await acceptDeployment(redis, keys, request('server'))).isNew).toBe(true);
});

test('what a former owner appends is refused, and nothing of it is written', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const first = await claim(redis, keys, id, 'w1');
  const second = await claim(redis, keys, id, 'w2');
  const before = await readJournal(redis, keys, id);
  await expect(first?.append({ type: 'batch-started', batch: 0 })).rejects.toBeInstanceOf(LeaseLost);
  expect(await readJournal(redis, keys, id)).toEqual(before);
  await second?.append({ type: 'batch-started', batch: 0 });
  expect(second?.state.batches[0]?.status).toBe('running');
});

test('nobody owns or appends to a deployment that has ended', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const journal = await claim(redis, keys, id, 'w1');
  await journal?.append({ type: 'finished', state: 'failed' });
  await expect(journal?.append({ type: 'batch-started', batch: 0 })).rejects.toBeInstanceOf(LeaseLost);
  expect(await claim(redis, keys, id, 'w2')).toBeUndefined();
  expect(await claim(redis, keys, 'dep-unknown', 'w2')).toBeUndefined();
});

test('two deployments of one second get different release stamps', async () => {
  const stamps: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { id } = await acceptDeployment(redis, keys, request('server'));
    const journal = await claim(redis, keys, id, 'w1');
    stamps.push(journal?.state.stampMs ?? 0);
    await journal?.append({ type: 'finished', state: 'succeeded' });
  }
  expect(new Set(stamps.map((stamp) => Math.floor(stamp / 1000))).size).toBe(3);
});

test('an Idempotency-Key answers with the same job, and refuses another body', async () => {
  const first = await acceptDeployment(redis, keys, request('server'), 'key-1');
  expect(await acceptDeployment(redis, keys, request('server'), 'key-1')).toMatchObject({ id: first.id, isNew: false });
  const reused = acceptDeployment(redis, keys, request('server', { full: '2' }), 'key-1');
  await expect(reused).rejects.toBeInstanceOf(KeyReusedError);
});
