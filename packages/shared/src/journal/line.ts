import { stored } from '../metrics/stored.js';

/**
 * Lua that the scripts share: the line of those that wait for a name. It is a list of ids; `waits` in the record says that
 * a deployment stands in it. Whoever takes the name from its owner hands it to the first of the line in the same script,
 * so that nobody comes in between. The keys of records are made from their common beginning, `Keys.record('')`.
 */
export const LINE = `
-- Appends an event. One that people are told of stands in a set until its tickets are queued, whoever dies meanwhile.
local function append(journal, untold, id, event)
  local entry = redis.call('XADD', journal, '*', 'e', event)
  local type = string.match(event, '^{"type":"([%w-]+)"')
  if type == 'batch-finished' or type == 'held' or type == 'finished' then redis.call('SADD', untold, id .. ' ' .. entry) end
end

-- Counts a deployment that was cancelled before anybody had it.
local function countCancelled(metrics, record)
  local is = redis.call('HMGET', record, 'name', 'action')
  redis.call('HINCRBY', metrics, '${stored.deployments.name}|' .. (is[1] or '') .. '|' .. (is[2] or '') .. '|cancelled', 1)
end

-- Release stamps grow in the order in which deployments get the name: hosts compare them as fencing numbers.
local function newStamp(stamp, now)
  local seconds = math.max(math.floor(tonumber(now) / 1000), tonumber(redis.call('GET', stamp) or '0') + 1)
  redis.call('SET', stamp, string.format('%.0f', seconds))
  return string.format('%.0f', seconds * 1000)
end

-- Tells those that wait, from a place on, whom they wait for and how that one stands.
local function tellLine(lock, waiting, records, at, from)
  local owner = redis.call('GET', lock)
  if not owner then return end
  local is = redis.call('HMGET', records .. owner, 'k', 'name', 'state')
  local event = '{"type":"waiting","at":"' .. at .. '","for":"' .. owner .. '","k":' .. cjson.encode(is[1] or is[2] or '')
    .. ',"state":' .. cjson.encode(is[3] or '') .. ',"place":'
  for place, id in ipairs(redis.call('LRANGE', waiting, 0, -1)) do
    if place >= from then redis.call('XADD', records .. id .. ':journal', '*', 'e', event .. place .. '}') end
  end
end

-- Gives the name to the first in line, or frees it. Answers who has it now, '' for nobody.
local function handOver(lock, waiting, stamp, records, at, now)
  local id = redis.call('LPOP', waiting)
  while id and redis.call('HGET', records .. id, 'state') ~= 'queued' do id = redis.call('LPOP', waiting) end
  if not id then
    redis.call('DEL', lock)
    return ''
  end
  redis.call('SET', lock, id)
  redis.call('HDEL', records .. id, 'waits')
  local turn = '{"type":"turn","at":"' .. at .. '","stampMs":' .. newStamp(stamp, now) .. '}'
  redis.call('XADD', records .. id .. ':journal', '*', 'e', turn)
  tellLine(lock, waiting, records, at, 1)
  return id
end
`;
