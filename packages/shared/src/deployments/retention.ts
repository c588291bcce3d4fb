import type { Redis } from 'ioredis';
import { FORGET } from '../journal/scripts.js';
import type { Keys } from '../redis/keys.js';

/**
 * Forgets deployments older than `keepMs`, except the newest `keepPerName` of each name and those that have not ended.
 * @param names whose lists are tidied where a record is lost
 * @returns how many were forgotten
 */
export async function forgetOld(
  redis: Redis,
  keys: Keys,
  rule: { keepMs: number; keepPerName: number },
  nowMs: number,
  names: Iterable<string>,
): Promise<number> {
  let forgotten = 0;
  for (const id of await redis.zrangebyscore(keys.all, 0, nowMs - rule.keepMs)) {
    const name = await redis.hget(keys.record(id), 'name');
    if (name === null) {
      // Nobody knows any more whose it was.
      for (const each of names) await redis.zrem(keys.ofName(each), id);
      await redis.del(keys.journal(id));
      await redis.zrem(keys.all, id);
      continue;
    }
    const rank = await redis.zrevrank(keys.ofName(name), id);
    if (rank !== null && rank < rule.keepPerName) continue;
    const all = [keys.record(id), keys.journal(id), keys.all, keys.ofName(name), keys.open];
    forgotten += Number(await FORGET.run(redis, all, [id]));
  }
  return forgotten;
}
