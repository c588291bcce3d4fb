import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.js';

/** Releases that people marked as the ones to roll back to with `rollstatus=1`: at most one an instance, by its label. */

export async function findMark(redis: Redis, keys: Keys, instance: string): Promise<string | undefined> {
  return (await redis.hget(keys.marked, instance)) ?? undefined;
}

export async function putMarks(redis: Redis, keys: Keys, instances: readonly string[], label: string): Promise<void> {
  await redis.hset(keys.marked, Object.fromEntries(instances.map((instance) => [instance, label])));
}

export async function clearMarks(redis: Redis, keys: Keys, instances: readonly string[]): Promise<void> {
  await redis.hdel(keys.marked, ...instances);
}
