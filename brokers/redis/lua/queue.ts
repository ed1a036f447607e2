/** Drops what waits in a queue. KEYS: its delayed set, queues with delayed messages, its lists. ARGV: queue. */
export const PURGE = `
local count = redis.call('ZCARD', KEYS[1])
for i = 3, #KEYS do count = count + redis.call('LLEN', KEYS[i]) end
redis.call('DEL', KEYS[1], unpack(KEYS, 3))
redis.call('ZREM', KEYS[2], ARGV[1])
return count
`
