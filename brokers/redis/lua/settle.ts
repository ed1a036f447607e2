import { PRELUDE } from './prelude.js'

/**
 * Ends claims: for each that still holds, its operations and then the acknowledgement.
 *
 * KEYS 3 to 5: unacked, its index, the holder's claims. ARGV: prefix of the delayed sets, number of the database with
 * the results (empty: the same) and of this one, then for each claim its tag, how many operations it has, and these.
 *
 * Returns 0 and the positions of lost claims. Or, when nothing was done, 1 and the positions of claims with a message
 * that reaches no queue, or 2 and the keys of results that only the caller can read.
 *
 * The claims are given up last. What the server refuses before (its memory is full, a key of another type, an account that
 * may not) is an error, and what was done is taken back; a result that is stored by then is stored again with the next try.
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
    i = after
  end
  if not all then refused[#refused + 1] = n end
  n = n + 1
end
if #refused > 1 then return refused end

local lost, tags, seen = {0}, {}, {}
i, n = 4, 0
while i <= #ARGV do
  local tag, ops = ARGV[i], tonumber(ARGV[i + 1])
  local holds = not seen[tag] and redis.call('HEXISTS', KEYS[3], tag) == 1
  seen[tag] = true
  if holds then tags[#tags + 1] = tag else lost[#lost + 1] = n end
  i = i + 2
  for _ = 1, ops do
    local problem
    if holds then i, problem = apply(i, delayed, stores) else i = look(i) end
    if problem then
      undo()
      return problem
    end
  end
  n = n + 1
end

-- Stores the results, elsewhere if need be. Returns what is to be answered instead of the outcome, if anything.
local function keep_all()
  if database ~= '' then
    local chosen = redis.pcall('SELECT', database)
    if chosen.err then return chosen end
  end
  local opaque = {2}
  for _, at in ipairs(stores) do
    if old_of(at) == 3 then opaque[#opaque + 1] = ARGV[at + 1] end
  end
  if #opaque > 1 then return opaque end
  for _, at in ipairs(stores) do
    local problem = keep(at)
    if problem then return problem end
  end
end

local instead
if #stores > 0 then
  instead = keep_all()
  if database ~= '' then redis.call('SELECT', home) end
end
if #tags > 0 and not instead then
  local removed = redis.pcall('HDEL', KEYS[3], unpack(tags))
  if type(removed) == 'table' then instead = removed end
end
if instead then
  undo()
  return instead
end
if #tags > 0 then
  redis.pcall('ZREM', KEYS[4], unpack(tags))
  redis.pcall('SREM', KEYS[5], unpack(tags))
end
tell()
return lost
`
