import type { Redis } from 'ioredis';
import { eventSchema } from '../journal/events.js';
import { LINE } from '../journal/line.js';
import type { Keys } from '../redis/keys.js';
import { LuaScript } from '../redis/lua.js';

/**
 * Frees a name from a deployment that is gone, ends what is left of that deployment's record, and hands the name on.
 * KEYS lock, record, open, waiting, stamp, beginning of records · ARGV id, now (ISO), now (ms), event `finished`
 * Answer whose turn has come, '' when nobody waits or another one holds the name by now
 */
const FREE = new LuaScript(`${LINE}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return '' end
redis.call('SREM', KEYS[3], ARGV[1])
local state = redis.call('HGET', KEYS[2], 'state')
if state and state ~= 'succeeded' and state ~= 'failed' and state ~= 'cancelled' then
  redis.call('HSET', KEYS[2], 'state', 'failed')
  local journal = KEYS[6] .. ARGV[1] .. ':journal'
  if redis.call('EXISTS', journal) == 1 then redis.call('XADD', journal, '*', 'e', ARGV[4]) end
end
return handOver(KEYS[1], KEYS[4], KEYS[5], KEYS[6], ARGV[2], ARGV[3])
`);

/**
 * Hands a name on that nobody holds, or one of whom nothing is known any more, though somebody waits for it.
 * KEYS lock, waiting, stamp, beginning of records · ARGV now (ISO), now (ms) · Answer as of FREE
 */
const HAND_ON = new LuaScript(`${LINE}
local owner = redis.call('GET', KEYS[1])
if owner and redis.call('EXISTS', KEYS[4] .. owner) == 1 then return '' end
return handOver(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[1], ARGV[2])
`);

/**
 * Takes a name from a deployment of which it is certain that nobody works on it.
 * @param by who says so
 * @returns whose turn has come by that, and who wants its ticket; undefined for nobody
 */
export async function freeName(
  redis: Redis,
  keys: Keys,
  { name, id, by }: { name: string; id: string; by: string },
): Promise<string | undefined> {
  const touched = [keys.lock(name), keys.record(id), keys.open, keys.waiting(name), keys.stamp(name), keys.record('')];
  const [at, now] = instant();
  const error = { code: 'journal', what: `nobody could go on with it; ${by} unlocked its name` };
  const finished = eventSchema.parse({ type: 'finished', at, state: 'failed', error });
  return nextOf(await FREE.run(redis, touched, [id, at, now, JSON.stringify(finished)]));
}

/** Gives a name to the first in line when its owner is lost without a trace. @returns as `freeName` */
export async function handOn(redis: Redis, keys: Keys, name: string): Promise<string | undefined> {
  const touched = [keys.lock(name), keys.waiting(name), keys.stamp(name), keys.record('')];
  return nextOf(await HAND_ON.run(redis, touched, instant()));
}

const nextOf = (answer: unknown): string | undefined => (answer === '' ? undefined : String(answer));

function instant(): [string, number] {
  const now = Date.now();
  return [new Date(now).toISOString(), now];
}
