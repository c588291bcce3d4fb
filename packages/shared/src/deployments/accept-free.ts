import type { Redis } from 'ioredis';
import { newDeploymentId } from '../ids.js';
import { type DeployRequest, eventSchema } from '../journal/events.js';
import type { Keys } from '../redis/keys.js';
import { LuaScript } from '../redis/lua.js';
import { traceparentNow } from '../telemetry/trace.js';

/** How long the record of a job that only looks is kept, in seconds; it is in no list. */
const KEEP_SECONDS = 3600;

/**
 * Creates a job that only looks: it takes no name, waits for nobody and is forgotten after a while.
 * KEYS record, journal, open · ARGV id, name, action, by, now (ms), event JSON, seconds
 */
const ACCEPT_FREE = new LuaScript(`
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2], 'action', ARGV[3], 'by', ARGV[4], 'state', 'queued', 'epoch', '0', 'created', ARGV[5], 'ticket', ARGV[1])
redis.call('XADD', KEYS[2], '*', 'e', ARGV[6])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
return 1
`);

/** Creates a job that only looks at hosts and balancers. @returns its id; the ticket is queued afterwards */
export async function acceptLook(redis: Redis, keys: Keys, request: DeployRequest): Promise<string> {
  const id = newDeploymentId();
  const now = Date.now();
  const at = new Date(now).toISOString();
  const asked = { ...request, trace: traceparentNow() };
  const event = eventSchema.parse({ type: 'accepted', at, id, request: asked, stampMs: now });
  const args = [id, request.name, request.action, request.by, now, JSON.stringify(event), KEEP_SECONDS];
  await ACCEPT_FREE.run(redis, [keys.record(id), keys.journal(id), keys.open], args);
  return id;
}
