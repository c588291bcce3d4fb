import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.js';
import { LuaScript } from '../redis/lua.js';

/**
 * Frees a name from a deployment that is gone, and ends what is left of that deployment's record.
 * KEYS lock, record, open · ARGV id · Answer 1, or 0 when another one holds the name by now
 */
const FREE = new LuaScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[3], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], 'state', 'failed') end
return 1
`);

/** Takes a name from a deployment of which it is certain that nobody works on it. @returns false when it had let go */
export async function freeName(redis: Redis, keys: Keys, name: string, id: string): Promise<boolean> {
  return (await FREE.run(redis, [keys.lock(name), keys.record(id), keys.open], [id])) === 1;
}
