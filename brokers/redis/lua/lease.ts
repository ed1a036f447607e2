/**
 * Renews the lease of a holder and of everything it has claimed. KEYS: index of unacked, the holder's claims, holders.
 * ARGV: lease in ms, holder. Returns 1, or 0 when the holder has lost its claims.
 *
 * The score is the end of the lease, so that a worker of Celery, which takes what is older than its visibility timeout,
 * never takes it early. A claim that was settled is not added again.
 */
export const RENEW = `
if not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return 0 end
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
if not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return {0} end
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
 * What a move has brought and nobody has recorded is recorded first: the holder may have died of it. A holder that has
 * nothing left is forgotten.
 */
export const CLAIMS_OF = `
if ARGV[2] == '1' then
  local t = redis.call('TIME')
  local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  local lease_end = redis.call('ZSCORE', KEYS[4], ARGV[1])
  if lease_end and tonumber(lease_end) > now then return {} end
end
local queue = redis.call('HGET', KEYS[5], ARGV[1])
if queue then
  local t = redis.call('TIME')
  for i, envelope in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do
    local tag = ARGV[1] .. '.moved.' .. t[1] .. t[2] .. '.' .. i
    redis.call('HSET', KEYS[1], tag, '[' .. envelope .. ', "", ' .. queue .. ']')
    redis.call('SADD', KEYS[3], tag)
  end
  redis.call('DEL', KEYS[6])
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
 * Puts claimed messages back to the front of their lists. KEYS as above. ARGV: holder, `1` when only a lease that is
 * over counts, then for each message its tag, its list and its envelope. Returns how many were put back.
 *
 * A holder whose lease is over, and that has nothing left, is forgotten.
 */
export const RESTORE = `
if ARGV[2] == '1' then
  local t = redis.call('TIME')
  local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
  local lease_end = redis.call('ZSCORE', KEYS[4], ARGV[1])
  if lease_end and tonumber(lease_end) > now then return 0 end
end
local count = 0
for i = 3, #ARGV, 3 do
  if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('RPUSH', ARGV[i + 1], ARGV[i + 2])
    redis.call('HDEL', KEYS[1], ARGV[i])
    count = count + 1
  end
  redis.call('ZREM', KEYS[2], ARGV[i])
  redis.call('SREM', KEYS[3], ARGV[i])
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
