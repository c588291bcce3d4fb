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
redis.call('HSET', KEYS[2], 'id', id, 'name', name, 'action', ARGV[3], 'by', ARGV[4], 'state', 'queued', 'epoch', '0', 'created', ARGV[5], 'ticket', id)
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
 * Answer epoch, or -1 when the deployment has ended or is held, or -2 when there is none
 */
export const CLAIM = new LuaScript(`
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return -2 end
if state == 'succeeded' or state == 'failed' or state == 'cancelled' or state == 'held' then return -1 end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'state', 'running', 'worker', ARGV[1])
redis.call('XADD', KEYS[2], '*', 'e', (string.gsub(ARGV[2], '@EPOCH@', string.format('%.0f', epoch))))
return epoch
`);

/**
 * Appends events, if the caller still owns the deployment; the last one may end it, which frees the name.
 * KEYS record, journal, lock, open, drained
 * ARGV id, epoch, state after the last event, end of a hold (ms, '' = none), number of ledger changes,
 *   instance and entry ('' = given back) of each, events…
 * Answer {1, control} with what was asked for and not done yet ('' = nothing), or {0, ''} when another worker owns it
 */
export const APPEND = new LuaScript(`
local now = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'control')
local ended = { succeeded = true, failed = true, cancelled = true }
if now[1] ~= ARGV[2] or ended[now[2]] or now[2] == 'held' then return {0, ''} end
local changes = tonumber(ARGV[5])
for i = 0, changes - 1 do
  local instance, entry = ARGV[6 + 2 * i], ARGV[7 + 2 * i]
  if entry == '' then redis.call('HDEL', KEYS[5], instance) else redis.call('HSET', KEYS[5], instance, entry) end
end
for i = 6 + 2 * changes, #ARGV do redis.call('XADD', KEYS[2], '*', 'e', ARGV[i]) end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'hold_until', ARGV[4])
if ARGV[3] == 'held' then redis.call('HDEL', KEYS[1], 'control') end
if ended[ARGV[3]] then
  redis.call('SREM', KEYS[4], ARGV[1])
  if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
end
return {1, now[3] or ''}
`);

/**
 * Cancel, hold or resume. The owner reads what was asked at its next append; what nobody owns ends or is woken here.
 * KEYS record, journal, lock, open
 * ARGV id, cancel|hold|resume, control as kept in the record, event `asked`, event `finished` for what never began
 * Answer {'ended'|'cancelled'|'asked'|'woken'|'already'|'not-held'|'gone', ticket to send ('' = none)}
 */
export const CONTROL = new LuaScript(`
local id, control = ARGV[1], ARGV[2]
local now = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'control')
local state = now[1]
if not state then return {'gone', ''} end
if state == 'succeeded' or state == 'failed' or state == 'cancelled' then return {'ended', ''} end
if control == 'hold' and state == 'held' then return {'already', ''} end
if control == 'resume' and state ~= 'held' and not (now[3] and string.find(now[3], '"hold"', 1, true)) then
  return {'not-held', ''}
end
redis.call('XADD', KEYS[2], '*', 'e', ARGV[4])
if control == 'cancel' and state == 'queued' and now[2] == '0' then
  redis.call('XADD', KEYS[2], '*', 'e', ARGV[5])
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  redis.call('SREM', KEYS[4], id)
  if redis.call('GET', KEYS[3]) == id then redis.call('DEL', KEYS[3]) end
  return {'cancelled', ''}
end
if control == 'resume' then redis.call('HDEL', KEYS[1], 'control') else redis.call('HSET', KEYS[1], 'control', ARGV[3]) end
if state ~= 'held' then return {'asked', ''} end
local ticket = id .. '_' .. string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'wakes', 1))
redis.call('HSET', KEYS[1], 'state', 'queued', 'ticket', ticket, 'hold_until', '')
return {'woken', ticket}
`);

/**
 * Appends to a deployment that has ended what others did with its record, each thing once.
 * KEYS record, journal · ARGV what it is once of, as a field of the record ('' = as often as it comes), event
 * Answer 1, or 0 when it stands there already or there is no such deployment
 */
export const NOTE = new LuaScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if ARGV[1] ~= '' and redis.call('HSETNX', KEYS[1], ARGV[1], '1') == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'e', ARGV[2])
return 1
`);

/**
 * Is the caller still the owner? KEYS record · ARGV epoch · Answer as of APPEND, without writing anything.
 */
export const CONFIRM = new LuaScript(`
local now = redis.call('HMGET', KEYS[1], 'epoch', 'state', 'control')
local ended = { succeeded = true, failed = true, cancelled = true }
if now[1] ~= ARGV[1] or ended[now[2]] or now[2] == 'held' then return {0, ''} end
return {1, now[3] or ''}
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
