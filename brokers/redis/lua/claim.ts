/**
 * Promotes what is due, then pops messages and records them as claimed in the same step.
 *
 * KEYS: unacked, its index, the holder's claims, holders, queues with delayed messages, sign of life.
 * ARGV: how many, prefix of tags, number of the first tag, lease in ms, holder, `1` to give a sign of life, prefix of keys, prefix of delayed sets, separator, number of priority steps, the steps, `1` when queues
 * share what is claimed, and for each queue its name and its name as JSON. Queues come in the order in which they are
 * served.
 *
 * Returns the time in ms, when to look again at the latest, holders whose lease is over, and queue number and envelope
 * of each message. A step of which each queue got its share serves the rest in order.
 */
export const CLAIM = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local max, prefix_of_tags, seq = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local lease_end = now + tonumber(ARGV[4])
local prefix, delayed, sep, steps = ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local is_shared = ARGV[11 + steps] == '1'
local first_queue = 12 + steps

-- The first write takes memory: on a full server the script ends here, before anything is popped.
redis.call('ZADD', KEYS[4], lease_end, ARGV[5])
if ARGV[6] == '1' then redis.call('SET', KEYS[6], now, 'PX', 60000) end

local function list_of(queue, step)
  if step == '0' then return prefix .. queue end
  return prefix .. queue .. sep .. step
end

for _, queue in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 20)) do
  local set = delayed .. queue
  local members = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, 1000)
  for _, member in ipairs(members) do
    local step, envelope = string.match(member, '^(%d+):%d+:(.*)$')
    redis.call('LPUSH', list_of(queue, step), envelope)
  end
  if #members > 0 then redis.call('ZREM', set, unpack(members)) end
  local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  if first[2] then
    redis.call('ZADD', KEYS[5], first[2], queue)
  else
    redis.call('ZREM', KEYS[5], queue)
  end
end

local queues = (#ARGV - first_queue + 1) / 2
local found, n = {}, 0
local fields, scores, tags = {}, {}, {}
local score = string.format('%.3f', lease_end / 1000)

local function take(number, step, want)
  local at = first_queue + 2 * (number - 1)
  local popped = redis.call('RPOP', list_of(ARGV[at], step), want)
  if not popped then return 0 end
  for _, envelope in ipairs(popped) do
    local tag = prefix_of_tags .. string.format('%d', seq + n)
    n = n + 1
    tags[n] = tag
    fields[2 * n - 1], fields[2 * n] = tag, '[' .. envelope .. ', "", ' .. ARGV[at + 1] .. ']'
    scores[2 * n - 1], scores[2 * n] = score, tag
    found[2 * n - 1], found[2 * n] = number - 1, envelope
  end
  return #popped
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
  redis.call('HSET', KEYS[1], unpack(fields, 2 * from - 1, 2 * to))
  redis.call('ZADD', KEYS[2], unpack(scores, 2 * from - 1, 2 * to))
  redis.call('SADD', KEYS[3], unpack(tags, from, to))
end

local expired = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 10)
local again = lease_end
if n == 0 then
  local due = redis.call('ZRANGE', KEYS[5], 0, 0, 'WITHSCORES')
  if due[2] then again = math.min(again, tonumber(due[2])) end
  local lease = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  if lease[2] then again = math.min(again, tonumber(lease[2]) + 1) end
end
return {now, again, expired, found}
`
