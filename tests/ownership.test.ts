import { startRedis } from '@rexdeploy/sandbox/redis';
import { acceptDeployment } from '@rexdeploy/shared/deployments/accept';
import { askDeployment } from '@rexdeploy/shared/deployments/control';
import { handOn } from '@rexdeploy/shared/deployments/free-name';
import { forgetOld } from '@rexdeploy/shared/deployments/retention';
import { CancelAsked, LeaseLost } from '@rexdeploy/shared/errors/control-flow';
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
  const first = await acceptDeployment(redis, keys, request('server'), { idempotencyKey: 'key-1' });
  expect(await acceptDeployment(redis, keys, request('server'), { idempotencyKey: 'key-1' })).toMatchObject({
    id: first.id,
    isNew: false,
  });
  const reused = acceptDeployment(redis, keys, request('server', { full: '2' }), { idempotencyKey: 'key-1' });
  await expect(reused).rejects.toBeInstanceOf(KeyReusedError);
});

test('an owner of whom Redis lost all but its number is no owner any more when that number is given again', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const first = await claim(redis, keys, id, 'w1');
  await redis.hset(keys.record(id), 'epoch', '0', 'state', 'queued');
  const second = await claim(redis, keys, id, 'w2');
  expect(second?.epoch).toBe(first?.epoch);
  await expect(first?.confirm()).rejects.toBeInstanceOf(LeaseLost);
  await expect(first?.append({ type: 'batch-started', batch: 0 })).rejects.toBeInstanceOf(LeaseLost);
  await second?.confirm();
});

test('who was refused once is asked about again, however recent the last good answer is', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const first = await claim(redis, keys, id, 'w1');
  await first?.append({ type: 'batch-started', batch: 0 });
  const second = await claim(redis, keys, id, 'w2');
  await first?.confirm(60_000); // by the answer to the append
  await expect(first?.confirm()).rejects.toBeInstanceOf(LeaseLost);
  await expect(first?.confirm(60_000)).rejects.toBeInstanceOf(LeaseLost);

  await second?.confirm();
  await askDeployment(redis, keys, { id, name: 'server' }, 'cancel', 'ann');
  await expect(second?.append({ type: 'held', batch: 0 })).rejects.toBeInstanceOf(CancelAsked);
  await claim(redis, keys, id, 'w3');
  await expect(second?.confirm(60_000)).rejects.toBeInstanceOf(LeaseLost);
});

test('who was told that it will be cancelled can rely on it: neither a hold nor one that is asked for puts it off', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const target = { id, name: 'server' };
  const journal = await claim(redis, keys, id, 'w1');
  expect(await askDeployment(redis, keys, target, 'cancel', 'ann')).toEqual({ outcome: 'asked' });
  expect(await askDeployment(redis, keys, target, 'hold', 'bob')).toEqual({ outcome: 'cancelling' });
  expect(await askDeployment(redis, keys, target, 'resume', 'bob')).toEqual({ outcome: 'not-held' });
  const before = await readJournal(redis, keys, id);
  const held = journal?.append({ type: 'held', batch: 0 });
  await expect(held).rejects.toBeInstanceOf(CancelAsked);
  await expect(held).rejects.toThrow('cancelled by ann');
  expect(await readJournal(redis, keys, id)).toEqual(before);
  expect(journal?.asked).toEqual({ control: 'cancel', by: 'ann' });
});

test('the end of a hold cancels what is held until then, and nothing that was resumed meanwhile', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const target = { id, name: 'server' };
  const endHold = (until: string) => askDeployment(redis, keys, target, 'cancel', 'hold_timeout', until);
  await (await claim(redis, keys, id, 'w1'))?.append({ type: 'held', batch: 0, untilMs: 1000 });
  await askDeployment(redis, keys, target, 'resume', 'ann');
  expect(await endHold('1000')).toEqual({ outcome: 'not-held' });
  const journal = await claim(redis, keys, id, 'w2');
  expect(journal?.asked).toBeUndefined();
  await journal?.append({ type: 'held', batch: 1, untilMs: 2000 });
  expect(await endHold('1000')).toEqual({ outcome: 'not-held' });
  expect(await endHold('2000')).toMatchObject({ outcome: 'woken' });
});

test('a name is handed on when all that is known of its owner is that it had the name', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  const next = await acceptDeployment(redis, keys, request('server'), { whenBusy: 'queue' });
  expect(await handOn(redis, keys, 'server')).toBeUndefined();
  await redis.del(keys.record(id), keys.journal(id));
  expect(await handOn(redis, keys, 'server')).toBe(next.id);
  expect(await claim(redis, keys, next.id, 'w1')).toBeDefined();
});

test('an address that is masked in the journal is in the record until the end, and nowhere after it', async () => {
  const address = 'https://example.com/a.tgz?sig=secret';
  const { id } = await acceptDeployment(redis, keys, request('server'), { address });
  const waits = await acceptDeployment(redis, keys, request('server'), { address, whenBusy: 'queue' });
  expect(await redis.hget(keys.record(id), 'address')).toBe(address);
  const journal = await claim(redis, keys, id, 'w1');
  await journal?.append({ type: 'finished', state: 'succeeded' });
  await askDeployment(redis, keys, { id: waits.id, name: 'server' }, 'cancel', 'ann');
  for (const each of [id, waits.id])
    expect(JSON.stringify(await redis.hgetall(keys.record(each)))).not.toContain('secret');
});

test('of a deployment whose record is lost nothing is left in any list', async () => {
  const { id } = await acceptDeployment(redis, keys, request('server'));
  await redis.del(keys.record(id));
  await redis.srem(keys.open, id);
  await forgetOld(redis, keys, { keepMs: 0, keepPerName: 5 }, Date.now() + 1, ['other', 'server']);
  expect(await redis.exists(keys.all, keys.ofName('server'), keys.journal(id))).toBe(0);
});
