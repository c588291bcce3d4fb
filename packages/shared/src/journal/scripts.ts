import { LuaScript } from '../redis/lua.js';
import { LINE } from './line.js';

/**
 * Creates a deployment and takes its name, or gets in line for it, or says who has it; all or nothing. `supersede` ends
 * those of the name that have not begun; what brings no release (see no-rollout.ts) is none of these. `first` gets in line before all.
 * KEYS lock, record, journal, all, of-name, open, stamp, idempotency, waiting, beginning of records
 * ARGV id, name, action, by, now (ms), event JSON without its opening brace, body digest ('' = no key), key's TTL (s),
 *   when busy (refuse|queue|first|supersede), k, now (ISO), event `finished` of one that is superseded, address ('' = none)
 * Answer {'accepted'|'waits'|'busy'|'same'|'reused', id}
 */
export const ACCEPT = new LuaScript(`${LINE}
local id, name, now, tail, body, whenBusy, at = ARGV[1], ARGV[2], ARGV[5], ARGV[6], ARGV[7], ARGV[9], ARGV[11]
local lock, waiting, records = KEYS[1], KEYS[9], KEYS[10]
if body ~= '' then
  local seen = redis.call('HMGET', KEYS[8], 'body', 'id')
  if seen[1] == body then return {'same', seen[2]} end
  if seen[1] then return {'reused', seen[2]} end
end
local owner = redis.call('GET', lock)
if owner and whenBusy == 'refuse' then return {'busy', owner} end
local function supersede(old)
  local is = redis.call('HMGET', records .. old, 'state', 'epoch', 'action')
  local stays = { sweep = true, unlock = true, service = true, updatek = true }
  if is[1] ~= 'queued' or is[2] ~= '0' or stays[is[3]] then return false end
  redis.call('XADD', records .. old .. ':journal', '*', 'e', ARGV[12])
  redis.call('HSET', records .. old, 'state', 'cancelled')
  redis.call('HDEL', records .. old, 'waits', 'address')
  redis.call('SREM', KEYS[6], old)
  redis.call('LREM', waiting, 0, old)
  return true
end
if owner and whenBusy == 'supersede' then
  for _, old in ipairs(redis.call('LRANGE', waiting, 0, -1)) do supersede(old) end
  if supersede(owner) then
    owner = handOver(lock, waiting, KEYS[7], records, at, now)
    if owner == '' then owner = false end
  end
end
redis.call('HSET', KEYS[2], 'id', id, 'name', name, 'k', ARGV[10], 'action', ARGV[3], 'by', ARGV[4], 'state', 'queued', 'epoch', '0', 'created', now, 'ticket', id)
if ARGV[13] ~= '' then redis.call('HSET', KEYS[2], 'address', ARGV[13]) end
local stampMs = '0'
if not owner then
  redis.call('SET', lock, id)
  stampMs = newStamp(KEYS[7], now)
end
redis.call('XADD', KEYS[3], '*', 'e', '{"stampMs":' .. stampMs .. ',' .. tail)
redis.call('ZADD', KEYS[4], now, id)
redis.call('ZADD', KEYS[5], now, id)
redis.call('SADD', KEYS[6], id)
if body ~= '' then
  redis.call('HSET', KEYS[8], 'body', body, 'id', id)
  redis.call('EXPIRE', KEYS[8], ARGV[8])
end
if not owner then return {'accepted', id} end
redis.call('HSET', KEYS[2], 'waits', '1')
if whenBusy == 'first' then redis.call('LPUSH', waiting, id) else redis.call('RPUSH', waiting, id) end
tellLine(lock, waiting, records, at, whenBusy == 'first' and 1 or redis.call('LLEN', waiting))
return {'waits', id}
`);

/**
 * Makes a worker the owner of a deployment. Every claim has a higher number (epoch) and a mark of its own; appends of any
 * other one are refused. The number alone would not do: a Redis that lost its newest second may give the same one again.
 * KEYS record, journal, lock, waiting, beginning of records
 * ARGV worker, event JSON with @EPOCH@ in place of the number, id, now (ISO), mark
 * Answer epoch, or -1 when the deployment has ended, is held or waits for its turn, or -2 when there is none
 */
export const CLAIM = new LuaScript(`${LINE}
local now = redis.call('HMGET', KEYS[1], 'state', 'waits')
local state = now[1]
if not state then return -2 end
if now[2] == '1' then return -1 end
if state == 'succeeded' or state == 'failed' or state == 'cancelled' or state == 'held' then return -1 end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local owner = string.format('%.0f', epoch) .. '.' .. ARGV[5]
redis.call('HSET', KEYS[1], 'state', 'running', 'worker', ARGV[1], 'owner', owner)
redis.call('XADD', KEYS[2], '*', 'e', (string.gsub(ARGV[2], '@EPOCH@', string.format('%.0f', epoch))))
if state ~= 'running' and redis.call('GET', KEYS[3]) == ARGV[3] then tellLine(KEYS[3], KEYS[4], KEYS[5], ARGV[4], 1) end
return epoch
`);

/**
 * Appends events, if the caller still owns the deployment; the last one may end it, which hands the name on.
 * KEYS record, journal, lock, open, drained, waiting, stamp, beginning of records
 * ARGV id, owner (epoch and mark), state after the last event, end of a hold (ms, '' = none), now (ISO), now (ms), number of ledger changes,
 *   instance and entry ('' = given back) of each, events…
 * Answer {1, control, next} with what was asked for and not done yet, and whose turn has come ('' = nothing, nobody), or
 *   {0, '', ''} when another worker owns it, or {2, control, ''} when it is to be cancelled and would be held by this
 */
export const APPEND = new LuaScript(`${LINE}
local now = redis.call('HMGET', KEYS[1], 'owner', 'state', 'control')
local ended = { succeeded = true, failed = true, cancelled = true }
if now[1] ~= ARGV[2] or ended[now[2]] or now[2] == 'held' then return {0, '', ''} end
if ARGV[3] == 'held' and now[3] and string.find(now[3], '"control":"cancel"', 1, true) then return {2, now[3], ''} end
local changes = tonumber(ARGV[7])
for i = 0, changes - 1 do
  local instance, entry = ARGV[8 + 2 * i], ARGV[9 + 2 * i]
  if entry == '' then redis.call('HDEL', KEYS[5], instance) else redis.call('HSET', KEYS[5], instance, entry) end
end
for i = 8 + 2 * changes, #ARGV do redis.call('XADD', KEYS[2], '*', 'e', ARGV[i]) end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'hold_until', ARGV[4])
if ARGV[3] == 'held' then redis.call('HDEL', KEYS[1], 'control') end
local next, owns = '', redis.call('GET', KEYS[3]) == ARGV[1]
if ended[ARGV[3]] then
  redis.call('SREM', KEYS[4], ARGV[1])
  redis.call('HDEL', KEYS[1], 'address')
  if owns then next = handOver(KEYS[3], KEYS[6], KEYS[7], KEYS[8], ARGV[5], ARGV[6]) end
elseif owns and now[2] ~= ARGV[3] then
  tellLine(KEYS[3], KEYS[6], KEYS[8], ARGV[5], 1)
end
return {1, now[3] or '', next}
`);

/**
 * Cancel, hold or resume. The owner reads what was asked at its next append; what nobody owns ends or is woken here.
 * KEYS record, journal, lock, open, waiting, stamp, beginning of records
 * ARGV id, cancel|hold|resume, control as kept in the record, event `asked`, event `finished` for what never began,
 *   now (ISO), now (ms), end that the hold must still have ('' = whatever)
 * Answer {'ended'|'cancelled'|'asked'|'woken'|'already'|'cancelling'|'not-held'|'gone', ticket to send ('' = none)}; after
 *   'cancelled' that of the one whose turn has come
 */
export const CONTROL = new LuaScript(`${LINE}
local id, control, at = ARGV[1], ARGV[2], ARGV[6]
local lock, waiting, records = KEYS[3], KEYS[5], KEYS[7]
local now = redis.call('HMGET', KEYS[1], 'state', 'epoch', 'control', 'hold_until')
local state = now[1]
if not state then return {'gone', ''} end
if state == 'succeeded' or state == 'failed' or state == 'cancelled' then return {'ended', ''} end
-- Somebody may have resumed it since its end was looked at.
if ARGV[8] ~= '' and (state ~= 'held' or now[4] ~= ARGV[8]) then return {'not-held', ''} end
-- Who was told that it will be cancelled can rely on that.
if control == 'hold' and now[3] and string.find(now[3], '"control":"cancel"', 1, true) then return {'cancelling', ''} end
if control == 'hold' and state == 'held' then return {'already', ''} end
if control == 'resume' and state ~= 'held' and not (now[3] and string.find(now[3], '"control":"hold"', 1, true)) then
  return {'not-held', ''}
end
redis.call('XADD', KEYS[2], '*', 'e', ARGV[4])
if control == 'cancel' and state == 'queued' and now[2] == '0' then
  redis.call('XADD', KEYS[2], '*', 'e', ARGV[5])
  redis.call('HSET', KEYS[1], 'state', 'cancelled')
  redis.call('SREM', KEYS[4], id)
  redis.call('HDEL', KEYS[1], 'waits', 'address')
  local next = ''
  if redis.call('GET', lock) == id then next = handOver(lock, waiting, KEYS[6], records, at, ARGV[7])
  elseif redis.call('LREM', waiting, 0, id) > 0 then tellLine(lock, waiting, records, at, 1) end
  return {'cancelled', next}
end
if control == 'resume' then redis.call('HDEL', KEYS[1], 'control') else redis.call('HSET', KEYS[1], 'control', ARGV[3]) end
if state ~= 'held' then return {'asked', ''} end
local ticket = id .. '_' .. string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'wakes', 1))
redis.call('HSET', KEYS[1], 'state', 'queued', 'ticket', ticket, 'hold_until', '')
if redis.call('GET', lock) == id then tellLine(lock, waiting, records, at, 1) end
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
 * Is the caller still the owner? KEYS record · ARGV owner · Answer as of APPEND, without writing anything.
 */
export const CONFIRM = new LuaScript(`
local now = redis.call('HMGET', KEYS[1], 'owner', 'state', 'control')
local ended = { succeeded = true, failed = true, cancelled = true }
if now[1] ~= ARGV[1] or ended[now[2]] or now[2] == 'held' then return {0, '', ''} end
return {1, now[3] or '', ''}
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
