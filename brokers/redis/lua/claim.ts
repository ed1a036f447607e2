import { IS_REFUSED } from './prelude.js'

/**
 * Promotes what is due, then records messages as claimed and takes them off their lists, in one step.
 *
 * Nothing is lost when a command is refused half-way (a key of another type, an account that may not): what is claimed is
 * recorded before it leaves its list, and a list that cannot be read is passed over.
 *
 * KEYS: unacked, its index, the holder's claims, holders, queues with delayed messages, sign of life.
 * ARGV: how many, prefix of tags, number of the first tag, lease in ms, holder, `1` to give a sign of life, prefix of keys, prefix of delayed sets, separator, number of priority steps, the steps, `1` when queues
 * share what is claimed, and for each queue its name and its name as JSON. Queues come in the order in which they are
 * served.
 *
 * Returns 0 for a holder that has lost its claims: it claims no more. Else the time in ms, when to look again at the latest,
 * holders whose lease is over, queue number and envelope of each message (number -1: it stays where it is), and number and
 * error of each list that cannot be read. A step of which each queue got its share serves the rest in order.
 */
export const CLAIM: string =
  IS_REFUSED +
  `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local max, prefix_of_tags, seq = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local lease_end = now + tonumber(ARGV[4])
local prefix, delayed, sep, steps = ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local is_shared = ARGV[11 + steps] == '1'
local first_queue = 12 + steps

-- A holder whose claims others put back has the score 0, then none.
local lease = redis.call('ZSCORE', KEYS[4], ARGV[5])
if not lease or lease == '0' then return {0} end
-- The first write takes memory: on a full server the script ends here, before anything is taken.
redis.call('ZADD', KEYS[4], lease_end, ARGV[5])
if ARGV[6] == '1' then redis.call('SET', KEYS[6], now, 'PX', 60000) end

local function list_of(queue, step)
  if step == '0' then return prefix .. queue end
  return prefix .. queue .. sep .. step
end

-- What its list does not take is tried again in ten seconds.
local function promote(queue)
  local set = delayed .. queue
  local members = redis.pcall('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, 1000)
  if is_refused(members) then return now + 10000 end
  if #members > 0 and is_refused(redis.pcall('ZREM', set, unpack(members))) then return now + 10000 end
  for _, member in ipairs(members) do
    local step, envelope = string.match(member, '^(%d+):%d+:(.*)$')
    if is_refused(redis.pcall('LPUSH', list_of(queue, step or '0'), envelope or member)) then
      redis.call('ZADD', set, now + 10000, member)
    end
  end
  return redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2]
end

for _, queue in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 20)) do
  local first = promote(queue)
  if first then
    redis.call('ZADD', KEYS[5], first, queue)
  else
    redis.call('ZREM', KEYS[5], queue)
  end
end

local queues = (#ARGV - first_queue + 1) / 2
local found, n = {}, 0
local fields, scores, tags = {}, {}, {}
local lists, taken, errors = {}, {}, {}
local score = string.format('%.3f', lease_end / 1000)

local function take(number, step, want)
  local at = first_queue + 2 * (number - 1)
  local list = list_of(ARGV[at], step)
  local before = taken[list] or 0
  local copied = redis.pcall('LRANGE', list, -before - want, -before - 1)
  if is_refused(copied) then
    errors[#errors + 1] = number - 1
    errors[#errors + 1] = copied.err
    return 0
  end
  for index = #copied, 1, -1 do
    local envelope = copied[index]
    local tag = prefix_of_tags .. string.format('%d', seq + n)
    n = n + 1
    tags[n] = tag
    fields[2 * n - 1], fields[2 * n] = tag, '[' .. envelope .. ', "", ' .. ARGV[at + 1] .. ']'
    scores[2 * n - 1], scores[2 * n] = score, tag
    found[2 * n - 1], found[2 * n] = number - 1, envelope
    lists[n] = list
  end
  taken[list] = before + #copied
  return #copied
end

for s = 1, steps do
  local step = ARGV[10 + s]
  local share = is_shared and math.max(1, math.floor((max - n) / queues)) or max
  local more = {}
  for number = 1, queues do
    if n >= max then break end
    local want = math.min(share, max - n)
    if take(number, step, want) == want then more[#more + 1] = number end
  end
  for _, number in ipairs(more) do
    if n >= max then break end
    take(number, step, max - n)
  end
end

for from = 1, n, 1000 do
  local to = math.min(n, from + 999)
  redis.call('SADD', KEYS[3], unpack(tags, from, to))
  redis.call('ZADD', KEYS[2], unpack(scores, 2 * from - 1, 2 * to))
  redis.call('HSET', KEYS[1], unpack(fields, 2 * from - 1, 2 * to))
end

local is_claimed = {}
for i = 1, n do
  local list = lists[i]
  if is_claimed[list] == nil then
    is_claimed[list] = not is_refused(redis.pcall('LTRIM', list, 0, -taken[list] - 1))
  end
  if not is_claimed[list] then
    redis.call('HDEL', KEYS[1], tags[i])
    found[2 * i - 1] = -1
  end
end

local expired = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 100)
local again = lease_end
if n == 0 then
  local due = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if due[2] then again = math.min(again, tonumber(due[2])) end
  local lease = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  if lease[2] then again = math.min(again, tonumber(lease[2]) + 1) end
end
return {now, again, expired, found, errors}
`
