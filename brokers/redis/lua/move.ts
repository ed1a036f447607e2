/**
 * Before a blocking move: the holder is known, and what an earlier move has brought without its answer arriving is back in
 * front of its list.
 *
 * KEYS: holders, the queues of moves, what was moved to the holder, the list. ARGV: holder, lease in ms, queue as JSON, `1` to
 * register a holder that is not there. Returns 0 for one that has lost its claims.
 */
export const BEFORE_MOVE = `
while redis.call('LMOVE', KEYS[3], KEYS[4], 'LEFT', 'RIGHT') do end
local lease = redis.call('ZSCORE', KEYS[1], ARGV[1])
if ARGV[4] ~= '1' and (not lease or lease == '0') then return 0 end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[1], tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[2]), ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1
`

/**
 * Records what a move has brought as claimed. KEYS: unacked, its index, the holder's claims, what was moved to the holder.
 * ARGV: tag, lease in ms, queue as JSON, SHA-1 of the envelope. Returns 0 when it is not there any more.
 *
 * It leaves the list last: a server whose memory is full, or an account that may not, refuses before.
 */
export const RECORD_MOVE = `
local envelope
for _, one in ipairs(redis.call('LRANGE', KEYS[4], 0, -1)) do
  if redis.sha1hex(one) == ARGV[4] then envelope = one end
end
if not envelope then return 0 end
local t = redis.call('TIME')
local lease_end = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000) + tonumber(ARGV[2])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], string.format('%.3f', lease_end / 1000), ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], '[' .. envelope .. ', "", ' .. ARGV[3] .. ']')
local removed = redis.pcall('LREM', KEYS[4], 1, envelope)
if type(removed) == 'table' and removed.err then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return removed
end
return 1
`

/** Puts what moves have brought back in front of its list. KEYS: what was moved to the holder, the list. Returns how many. */
export const UNDO_MOVE = `
local count = 0
while redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') do count = count + 1 end
return count
`
