import { IS_REFUSED } from './prelude.js'

/**
 * Puts a message that was heard on a channel into the lists of queues, into each once, however many have heard it. KEYS: for each
 * queue its list and the sign that the message is there. ARGV: message, how long the sign stays in ms.
 *
 * Returns the last error, if any; that queue has neither the message nor the sign.
 */
export const ENQUEUE_HEARD: string =
  IS_REFUSED +
  `
local problem
for i = 1, #KEYS, 2 do
  if redis.call('SET', KEYS[i + 1], '', 'NX', 'PX', ARGV[2]) then
    local reply = redis.pcall('LPUSH', KEYS[i], ARGV[1])
    if is_refused(reply) then
      redis.call('DEL', KEYS[i + 1])
      problem = reply
    end
  end
end
return problem
`
