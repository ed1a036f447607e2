/**
 * Lua shared by the scripts that write: the server's time, and the walk over a list of operations in ARGV.
 *
 * An operation is a kind and its arguments:
 *
 * - `L` queue key n message…: to the back of a list; a queue that is not empty text must be declared
 * - `R` key message: to the front of a list, where it is claimed next
 * - `D` queue ms form check member: held until `ms`, from now (`r`) or on the clock (`a`)
 * - `S` key ttl document hash: a result, unless the task has its SUCCESS; a compressed one that is there, which no
 *   script can read, is replaced only when this is its SHA-1, since the caller has read it
 *
 * KEYS 1 and 2 are the declared queues and the queues that hold delayed messages.
 */
export const PRELUDE = `
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
  end
  return i + 5, true
end

local now
local function hold(queue, ms, form, member, delayed)
  now = now or now_ms()
  local at = tonumber(ms)
  if form == 'r' then at = now + at end
  redis.call('ZADD', delayed .. queue, at, member)
  redis.call('ZADD', KEYS[2], 'LT', at, queue)
end

-- The state comes first in a document; YAML sorts its keys.
local function is_success(document)
  local state = string.match(string.sub(document, 1, 64), 'status[^A-Za-z]+([A-Za-z0-9_-]+)')
  if state then return state == 'SUCCESS' end
  return string.find(document, '\\nstatus: SUCCESS\\n', 1, true) ~= nil
end

-- What is there for a key, asked once: 1 for what may be replaced, 2 for a SUCCESS, 3 for what only the caller can read.
local olds = {}
local function old_of(i)
  local key = ARGV[i + 1]
  if olds[key] == nil then
    local old = redis.call('GET', key)
    if not old then
      olds[key] = 1
    elseif string.byte(old) == 0 and string.sub(old, 2, 18) == 'celery-compressed' then
      olds[key] = redis.sha1hex(old) == ARGV[i + 4] and 1 or 3
    else
      olds[key] = is_success(old) and 2 or 1
    end
  end
  return olds[key]
end

local function keep(i)
  local key, ttl, document = ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3]
  if old_of(i) ~= 1 then return end
  if is_success(document) then olds[key] = 2 end
  if ttl > 0 then
    redis.call('SET', key, document, 'PX', ttl)
  else
    redis.call('SET', key, document)
  end
  redis.call('PUBLISH', key, document)
end

-- Does everything but storing, which happens in another database; returns the index after it.
local function apply(i, delayed, stores)
  local op = ARGV[i]
  local after = look(i)
  if op == 'L' then
    redis.call('LPUSH', ARGV[i + 2], unpack(ARGV, i + 4, after - 1))
  elseif op == 'R' then
    redis.call('RPUSH', ARGV[i + 1], ARGV[i + 2])
  elseif op == 'D' then
    hold(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 5], delayed)
  else
    stores[#stores + 1] = i
  end
  return after
end
`
