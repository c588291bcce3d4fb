import { LuaScript } from '../redis/lua.js';

/**
 * Creates a deployment and takes its name, or says who has it; all or nothing.
 * KEYS lock, record, journal, all, of-name, open, stamp, idempotency
 * ARGV id, name, action, by, now (ms), event JSON without its opening brace, body digest ('' = no key), key's TTL (s)
 * Answer {'accepted'|'busy'|'same'|'reused', id, stamp (ms)}
 */
export const ACCEPT = new LuaScript(`
local id, name, now, tail, body = ARGV[1], ARGV[2], tonumber(ARGV[5]), ARGV[6], ARGV[7]
if body ~= '' then
  local seen = redis.call('HMGET', KEYS[8], 'body', 'id')
  if seen[1] == body then return {'same', seen[2], '0'} end
  if seen[1] then return {'reused', seen[2], '0'} end
end
local owner = redis.call('GET', KEYS[1])
if owner then return {'busy', owner, '0'} end
local last = tonumber(redis.call('GET', KEYS[7]) or '0')
local stamp = math.max(math.floor(now / 1000), last + 1)
redis.call('SET', KEYS[7], string.format('%.0f', stamp))
local stampMs = string.format('%.0f', stamp * 1000)
redis.call('SET', KEYS[1], id)
redis.call('HSET', KEYS[2], 'id', id, 'name', name, 'action', ARGV[3], 'by', ARGV[4], 'state', 'queued', 'epoch', '0', 'created', ARGV[5])
redis.call('XADD', KEYS[3], '*', 'e', '{"stampMs":' .. stampMs .. ',' .. tail)
redis.call('ZADD', KEYS[4], now, id)
redis.call('ZADD', KEYS[5], now, id)
redis.call('SADD', KEYS[6], id)
if body ~= '' then
  redis.call('HSET', KEYS[8], 'body', body, 'id', id)
  redis.call('EXPIRE', KEYS[8], ARGV[8])
end
return {'accepted', id, stampMs}
`);

/**
 * Makes a worker the owner of a deployment. Every claim has a higher number (epoch); appends with a lower one are refused.
 * KEYS record, journal · ARGV worker, event JSON with @EPOCH@ in place of the number
 * Answer epoch, or -1 when the deployment has ended, or -2 when there is none
 */
export const CLAIM = new LuaScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return -2 end
if state == 'succeeded' or state == 'failed' or state == 'cancelled' then return -1 end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'worker', ARGV[1])
redis.call('XADD', KEYS[2], '*', 'e', (string.gsub(ARGV[2], '@EPOCH@', string.format('%.0f', epoch))))
return epoch
`);

/**
 * Appends events, if the caller still owns the deployment; the last one may end it, which frees the name.
 * KEYS record, journal, lock, open · ARGV id, epoch, state after the last event, events…
 * Answer 1, or 0 when another worker owns the deployment or it has ended
 */
export const APPEND = new LuaScript(`
local now = redis.call('HMGET', KEYS[1], 'epoch', 'state')
local ended = { succeeded = true, failed = true, cancelled = true }
if now[1] ~= ARGV[2] or ended[now[2]] then return 0 end
for i = 4, #ARGV do redis.call('XADD', KEYS[2], '*', 'e', ARGV[i]) end
redis.call('HSET', KEYS[1], 'state', ARGV[3])
if ended[ARGV[3]] then
  redis.call('SREM', KEYS[4], ARGV[1])
  if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
end
return 1
`);

/**
 * Forgets an ended deployment.
 * KEYS record, journal, all, of-name, open · ARGV id · Answer 1, or 0 when it has not ended
 */
export const FORGET = new LuaScript(`
if redis.call('SISMEMBER', KEYS[5], ARGV[1]) == 1 then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
return 1
`);
