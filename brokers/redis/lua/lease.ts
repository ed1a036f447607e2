import { IS_REFUSED } from './prelude.js'

/**
 * Renews the lease of a holder and of everything it has claimed. KEYS: index of unacked, the holder's claims, holders.
 * ARGV: lease in ms, holder. Returns 1, or 0 when the holder has lost its claims.
 *
 * The score is the end of the lease, so that a worker of Celery, which takes what is older than its visibility timeout,
 * never takes it early. A claim that was settled is not added again.
 */
export const RENEW = `
local lease = redis.call('ZSCORE', KEYS[3], ARGV[2])
if not lease or lease == '0' then return 0 end
local t = redis.call('TIME')
local lease_end = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1])
redis.call('ZADD', KEYS[3], 'XX', lease_end, ARGV[2])
local score = string.format('%.3f', lease_end / 1000)
for _, tag in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  redis.call('ZADD', KEYS[1], 'XX', score, tag)
end
return 1
`

/**
 * Renews the lease of a holder and of the claims that it knows. KEYS as for the renewal, and unacked. ARGV: lease in ms,
 * holder, tags of the known claims.
 *
 * Returns 0 when the holder has lost its claims; else 1, then tags and entries, in turn, of at most 200 claims that it does
 * not know.
 */
export const RECONCILE = `
local lease = redis.call('ZSCORE', KEYS[3], ARGV[2])
if not lease or lease == '0' then return {0} end
local t = redis.call('TIME')
local lease_end = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[1])
redis.call('ZADD', KEYS[3], 'XX', lease_end, ARGV[2])
local score = string.format('%.3f', lease_end / 1000)
local known, found = {}, {1}
for i = 3, #ARGV do known[ARGV[i]] = true end
for _, tag in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if known[tag] then
    redis.call('ZADD', KEYS[1], 'XX', score, tag)
  elseif #found < 400 then
    local entry = redis.call('HGET', KEYS[4], tag)
    if entry then
      found[#found + 1] = tag
      found[#found + 1] = entry
    end
  end
end
return found
`

/** Which claims do not hold any more, by position. KEYS: unacked. ARGV: tags. */
export const VERIFY = `
local lost = {}
for i, tag in ipairs(ARGV) do
  if redis.call('HEXISTS', KEYS[1], tag) == 0 then lost[#lost + 1] = i - 1 end
end
return lost
`

/**
 * What a holder has claimed, at most 200 at once: tags and their entries in turn. KEYS: unacked, its index, the holder's
 * claims, holders, the queues of moves, what was moved to the holder. ARGV: holder, `1` when only a lease that is over
 * counts.
 *
 * A holder whose lease is over gets the score 0: it renews and claims no more, although its claims go back in several steps.
 * What a move has brought and nobody has recorded is recorded first: the holder may have died of it. A holder that has
 * nothing left is forgotten.
 */
export const CLAIMS_OF = `
if ARGV[2] == '1' then
  local t = redis.call('TIME')
  local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  local lease_end = redis.call('ZSCORE', KEYS[4], ARGV[1])
  if lease_end and tonumber(lease_end) > now then return {} end
  redis.call('ZADD', KEYS[4], 'XX', 0, ARGV[1])
end
local queue = redis.call('HGET', KEYS[5], ARGV[1])
if queue then
  local t = redis.call('TIME')
  for i, envelope in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
    local tag = ARGV[1] .. '.moved.' .. t[1] .. t[2] .. '.' .. i
    redis.call('SADD', KEYS[3], tag)
    redis.call('HSET', KEYS[1], tag, '[' .. envelope .. ', "", ' .. queue .. ']')
    local removed = redis.pcall('LREM', KEYS[6], 1, envelope)
    if type(removed) == 'table' and removed.err then
      redis.call('HDEL', KEYS[1], tag)
      return removed
    end
  end
  redis.call('HDEL', KEYS[5], ARGV[1])
end
local tags = redis.call('SRANDMEMBER', KEYS[3], 200)
local found = {}
for _, tag in ipairs(tags) do
  local entry = redis.call('HGET', KEYS[1], tag)
  if entry then
    found[#found + 1] = tag
    found[#found + 1] = entry
  else
    redis.call('SREM', KEYS[3], tag)
    redis.call('ZREM', KEYS[2], tag)
  end
end
if redis.call('SCARD', KEYS[3]) == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
return found
`

/**
 * Puts claimed messages back to the front of their lists. KEYS as above, then the queues with delayed messages. ARGV: holder,
 * `1` when only a lease that is over counts, prefix of the delayed sets, then for each message its tag, its list, its queue,
 * its priority step and its envelope. Returns how many were put back.
 *
 * A message that its list does not take is held for a minute, so that none keeps the others. A holder whose lease is over,
 * and that has nothing left, is forgotten.
 */
export const RESTORE: string =
  IS_REFUSED +
  `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
if ARGV[2] == '1' then
  local lease_end = redis.call('ZSCORE', KEYS[4], ARGV[1])
  if lease_end and tonumber(lease_end) > now then return 0 end
end
-- The claim's entry goes last, and the message leaves its list again where it may not.
local function put_back(tag, list, queue, step, envelope)
  local undo = {'RPOP', list}
  if is_refused(redis.pcall('RPUSH', list, envelope)) then
    local member = step .. ':' .. t[1] .. t[2] .. ':' .. envelope
    undo = {'ZREM', ARGV[3] .. queue, member}
    if is_refused(redis.pcall('ZADD', KEYS[7], 'LT', now + 60000, queue)) then return false end
    if is_refused(redis.pcall('ZADD', ARGV[3] .. queue, now + 60000, member)) then return false end
  end
  if not is_refused(redis.pcall('HDEL', KEYS[1], tag)) then return true end
  redis.pcall(unpack(undo))
  return false
end

local count = 0
for i = 4, #ARGV, 5 do
  local is_there = redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1
  if not is_there or put_back(unpack(ARGV, i, i + 4)) then
    if is_there then count = count + 1 end
    redis.call('ZREM', KEYS[2], ARGV[i])
    redis.call('SREM', KEYS[3], ARGV[i])
  end
end
if ARGV[2] == '1' and redis.call('SCARD', KEYS[3]) == 0 then redis.call('ZREM', KEYS[4], ARGV[1]) end
return count
`

/** Deletes a lock, unless it is another's by now. KEYS: the lock. ARGV: the token it was taken with. */
export const UNLOCK = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`

/**
 * Claims of Celery's workers that are older than the visibility timeout: tags and entries in turn. KEYS: unacked, its
 * index. ARGV: visibility timeout in seconds, prefix of Lovage's tags.
 */
export const OVERDUE = `
local horizon = tonumber(redis.call('TIME')[1]) - tonumber(ARGV[1])
local found = {}
for _, tag in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', horizon, 'LIMIT', 0, 200)) do
  if string.sub(tag, 1, #ARGV[2]) ~= ARGV[2] then
    local entry = redis.call('HGET', KEYS[1], tag)
    if entry then
      found[#found + 1] = tag
      found[#found + 1] = entry
    else
      redis.call('ZREM', KEYS[2], tag)
    end
  end
end
return found
`
