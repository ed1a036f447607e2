/** Whether the server refused a command: a key of another type, an account that may not. */
export const IS_REFUSED = `
local function is_refused(reply) return type(reply) == 'table' and reply.err ~= nil end
`

/**
 * Lua shared by the scripts that write: the server's time, and the walk over a list of operations in ARGV.
 *
 * An operation is a kind and its arguments:
 *
 * - `L` queue key n message…: to the back of a list; a queue that is not empty text must be declared
 * - `R` key message: to the front of a list, where it is claimed next
 * - `D` queue ms form check member: held until `ms`, from now (`r`) or on the clock (`a`)
 * - `P` channel message: published on a channel by `tell`, once all else is done
 * - `S` key ttl document hash: a result, unless the task has its SUCCESS; a compressed one that is there, which no
 *   script can read, is replaced only when this is its SHA-1, since the caller has read it
 *
 * KEYS 1 and 2 are the declared queues and the queues that hold delayed messages.
 *
 * An operation that the server refuses (a key of another type, an account that may not) is an answer of `apply` and `keep`, not
 * the end of the script: `undo` takes back what was done before it.
 */
export const PRELUDE: string =
  IS_REFUSED +
  `
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end

local known = {}
local function is_known(queue)
  if known[queue] == nil then known[queue] = redis.call('SISMEMBER', KEYS[1], queue) == 1 end
  return known[queue]
end

-- The index after the operation at i, and whether its queue is there.
local function look(i)
  local op = ARGV[i]
  if op == 'L' then
    return i + 4 + tonumber(ARGV[i + 3]), ARGV[i + 1] == '' or is_known(ARGV[i + 1])
  elseif op == 'R' then
    return i + 3, true
  elseif op == 'D' then
    return i + 6, ARGV[i + 4] == '' or is_known(ARGV[i + 1])
  elseif op == 'P' then
    return i + 3, true
  end
  return i + 5, true
end

local undoing, telling = {}, {}

-- Runs a command, and notes what takes it back. Returns the error, if any.
local function try(back, ...)
  local reply = redis.pcall(...)
  if is_refused(reply) then return reply end
  undoing[#undoing + 1] = back
end

local function undo()
  for at = #undoing, 1, -1 do redis.pcall(unpack(undoing[at])) end
  undoing, telling = {}, {}
end

-- The messages are in their queues, whether or not the account may tell of them.
local function tell()
  for _, at in ipairs(telling) do redis.pcall('PUBLISH', ARGV[at + 1], ARGV[at + 2]) end
end

local now
local function hold(queue, ms, form, member, delayed)
  now = now or now_ms()
  local at = tonumber(ms)
  if form == 'r' then at = now + at end
  -- A queue without delayed messages is taken out when they are promoted.
  local refused = redis.pcall('ZADD', KEYS[2], 'LT', at, queue)
  if type(refused) == 'table' and refused.err then return refused end
  return try({'ZREM', delayed .. queue, member}, 'ZADD', delayed .. queue, at, member)
end

-- The state comes first in a document; YAML sorts its keys.
local function is_success(document)
  local state = string.match(string.sub(document, 1, 64), 'status[^A-Za-z]+([A-Za-z0-9_-]+)')
  if state then return state == 'SUCCESS' end
  return string.find(document, '\\nstatus: SUCCESS\\n', 1, true) ~= nil
end

-- What is there for a key, asked once: 1 for what may be replaced, 2 for a SUCCESS, 3 for what only the caller can read; or the
-- error of a key that may not be read.
local olds = {}
local function old_of(i)
  local key = ARGV[i + 1]
  if olds[key] == nil then
    local old = redis.pcall('GET', key)
    if type(old) == 'table' then
      -- What is not even text is no result.
      olds[key] = string.find(old.err, 'WRONGTYPE') and 1 or old
    elseif not old then
      olds[key] = 1
    elseif string.byte(old) == 0 and string.sub(old, 2, 18) == 'celery-compressed' then
      olds[key] = redis.sha1hex(old) == ARGV[i + 4] and 1 or 3
    else
      olds[key] = is_success(old) and 2 or 1
    end
  end
  return olds[key]
end

-- Stores a result. Returns the error, if any.
local function keep(i)
  local key, ttl, document = ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  local old = old_of(i)
  if type(old) == 'table' then return old end
  if old ~= 1 then return end
  local reply
  if ttl > 0 then
    reply = redis.pcall('SET', key, document, 'PX', ttl)
  else
    reply = redis.pcall('SET', key, document)
  end
  if reply.err then return reply end
  if is_success(document) then olds[key] = 2 end
  -- It is stored, whether or not the account may tell of it.
  redis.pcall('PUBLISH', key, document)
end

-- Does everything but storing, which happens in another database; returns the index after it, and the error, if any.
local function apply(i, delayed, stores)
  local op = ARGV[i]
  local after = look(i)
  if op == 'L' then
    local list, count = ARGV[i + 2], ARGV[i + 3]
    return after, try({'LPOP', list, count}, 'LPUSH', list, unpack(ARGV, i + 4, after - 1))
  elseif op == 'R' then
    return after, try({'RPOP', ARGV[i + 1]}, 'RPUSH', ARGV[i + 1], ARGV[i + 2])
  elseif op == 'D' then
    return after, hold(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 5], delayed)
  elseif op == 'P' then
    telling[#telling + 1] = i
    return after
  end
  stores[#stores + 1] = i
  return after
end
`
