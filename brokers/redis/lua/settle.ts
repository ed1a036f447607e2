import { PRELUDE } from './prelude.js'

/**
 * Ends claims: for each that still holds, its operations and then the acknowledgement.
 *
 * KEYS 3 to 5: unacked, its index, the holder's claims. ARGV: prefix of the delayed sets, number of the database with
 * the results (empty: the same) and of this one, then for each claim its tag, how many operations it has, and these.
 *
 * Returns 0 and the positions of lost claims. Or, when nothing was done, 1 and the positions of claims with a message
 * that reaches no queue, or 2 and the keys of results that only the caller can read. What takes memory comes before the claim is given up, so that a full server refuses
 * before anything is lost.
 */
export const SETTLE: string =
  PRELUDE +
  `
local delayed, database, home = ARGV[1], ARGV[2], ARGV[3]
local refused, stores = {1}, {}
local i, n = 4, 0
while i <= #ARGV do
  local ops, all = tonumber(ARGV[i + 1]), true
  i = i + 2
  for _ = 1, ops do
    local after, ok = look(i)
    all = all and ok
    if ARGV[i] == 'S' then stores[#stores + 1] = i end
    i = after
  end
  if not all then refused[#refused + 1] = n end
  n = n + 1
end
if #refused > 1 then return refused end

if #stores > 0 then
  local opaque = {2}
  if database ~= '' then redis.call('SELECT', database) end
  for _, at in ipairs(stores) do
    if old_of(at) == 3 then opaque[#opaque + 1] = ARGV[at + 1] end
  end
  if #opaque > 1 then return opaque end
  if database ~= '' then redis.call('SELECT', home) end
end

local lost, tags = {0}, {}
stores = {}
i, n = 4, 0
while i <= #ARGV do
  local tag, ops = ARGV[i], tonumber(ARGV[i + 1])
  i = i + 2
  if ops == 0 then
    if redis.call('HDEL', KEYS[3], tag) == 1 then
      tags[#tags + 1] = tag
    else
      lost[#lost + 1] = n
    end
  elseif redis.call('HEXISTS', KEYS[3], tag) == 1 then
    for _ = 1, ops do i = apply(i, delayed, stores) end
    redis.call('HDEL', KEYS[3], tag)
    tags[#tags + 1] = tag
  else
    for _ = 1, ops do i = look(i) end
    lost[#lost + 1] = n
  end
  n = n + 1
end
if #tags > 0 then
  redis.call('ZREM', KEYS[4], unpack(tags))
  redis.call('SREM', KEYS[5], unpack(tags))
end
if #stores > 0 then
  if database ~= '' then redis.call('SELECT', database) end
  for _, at in ipairs(stores) do keep(at) end
end
return lost
`
