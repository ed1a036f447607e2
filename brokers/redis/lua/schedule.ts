import { PRELUDE } from './prelude.js'

/**
 * Publishes an occurrence of beat, once: all of its messages or none.
 *
 * KEYS: declared queues, queues with delayed messages, entries, latest instants, occurrences of the entry. ARGV: prefix
 * of the delayed sets, name of the entry, id, instant in ms, how long occurrences are kept in ms, operations.
 *
 * Returns `1`, or `0` for one that was published, may be forgotten or has no entry; then the positions of operations whose
 * queue is not declared.
 */
export const CLAIM_OCCURRENCE: string =
  PRELUDE +
  `
local delayed, name, id, at, kept = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HEXISTS', KEYS[3], name) == 0 then return { 0 } end
local last = tonumber(redis.call('HGET', KEYS[4], name) or at)
if at < last - kept or redis.call('ZSCORE', KEYS[5], id) then return { 0 } end
local reply = { 0 }
local i, n = 6, 0
while i <= #ARGV do
  local after, ok = look(i)
  if not ok then reply[#reply + 1] = n end
  i = after
  n = n + 1
end
if #reply > 1 then return reply end
-- Noted first, and taken back with the messages when one of them is refused.
if at >= last then redis.call('HSET', KEYS[4], name, ARGV[4]) end
local problem = try({'ZREM', KEYS[5], id}, 'ZADD', KEYS[5], ARGV[4], id)
i = 6
while i <= #ARGV and not problem do i, problem = apply(i, delayed, nil) end
if problem then
  undo()
  return problem
end
if at >= last then
  redis.pcall('ZREMRANGEBYSCORE', KEYS[5], '-inf', '(' .. string.format('%d', at - kept))
end
tell()
return { 1 }
`

/** Takes or keeps leadership. KEYS: the leader. ARGV: candidate, lease in ms. Returns `1` or `0`, the time, the revision. */
export const LEAD = `
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local held = redis.call('HMGET', KEYS[1], 'candidate', 'lease_until_ms', 'revision')
local leads = held[1] == ARGV[1] or tonumber(held[2] or 0) <= now
if leads then
  redis.call('HSET', KEYS[1], 'candidate', ARGV[1], 'lease_until_ms', string.format('%d', now + tonumber(ARGV[2])))
end
return { leads and 1 or 0, now, tonumber(held[3] or 0) }
`

/** Gives leadership up. KEYS: the leader. ARGV: candidate. */
export const RESIGN = `
if redis.call('HGET', KEYS[1], 'candidate') == ARGV[1] then redis.call('HSET', KEYS[1], 'lease_until_ms', 0) end
`

/** Saves an entry unless it has changed; a refused revision leaves it as it was. KEYS: entries, the leader. ARGV: name, data, what it replaces, if anything. */
export const SAVE_ENTRY = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= (ARGV[3] or false) then return 0 end
redis.call('HINCRBY', KEYS[2], 'revision', 1)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`

/** Removes an entry and its occurrences. KEYS: entries, latest instants, occurrences of the entry, the leader. ARGV: name. */
export const REMOVE_ENTRY = `
redis.call('HINCRBY', KEYS[4], 'revision', 1)
redis.call('DEL', KEYS[3])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
`
