import { createHash } from 'node:crypto'
import { channelPattern, type FanoutNaming } from './channels.js'
import { isQueued, priorityOf, readEnvelope, toDelivery } from './envelope.js'
import { toFailure } from './failure.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { ENQUEUE_HEARD } from './lua/fanout.js'
import { toScript } from './script.js'
import type { Topology } from './topology.js'

/** What feeds queues from channels. */
export interface FanoutQueuesParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly topology: Topology
  readonly naming: FanoutNaming
}

/** How long one of several consumers of a queue may be late with a message that the others have enqueued, in milliseconds. */
const LATE_MS = 3_600_000
const enqueueScript = toScript(ENQUEUE_HEARD)

/**
 * Put into queues, each message once, what clients of Celery publish to the fanout exchanges that the queues are bound to.
 *
 * Kombu only tells those who listen. What Lovage publishes is in the queues already, and marked.
 *
 * @returns Ends it.
 * @source kombu 5.7, `kombu/transport/redis.py`, `Channel._put_fanout`.
 */
export async function feedFanoutQueues(
  parts: FanoutQueuesParts,
  queues: readonly string[],
): Promise<() => Promise<void>> {
  const { label } = parts.connection.target
  const bound = new Map<string, string[]>()
  const found = await Promise.all(queues.map((queue) => parts.topology.fanoutsOf(queue)))
  for (const [index, exchanges] of found.entries()) {
    for (const exchange of exchanges)
      bound.set(exchange, [...(bound.get(exchange) ?? []), queues[index] ?? ''])
  }
  const quits: (() => Promise<void>)[] = []
  const quit = async (): Promise<void> => {
    await Promise.all(quits.map((one) => one()))
  }
  try {
    for (const [exchange, own] of bound) {
      const pattern = channelPattern(parts.naming, { exchange, routingKey: '', type: 'fanout' })
      const heard = (_channel: string, payload: Buffer): void => {
        enqueue(parts, { exchange, queues: own, text: payload.toString('utf8') }).catch((error: unknown) => {
          const { message } = toFailure(error, label)
          process.emitWarning(`a message of exchange "${exchange}" was heard and not kept: ${message}`, {
            type: 'LovageWarning',
            code: 'LOVAGE_FANOUT_LOST',
          })
        })
      }
      quits.push(await parts.connection.listening.psubscribe(pattern, heard))
    }
  } catch (error) {
    await quit()
    throw toFailure(error, label)
  }
  return quit
}

interface Heard {
  readonly exchange: string
  readonly queues: readonly string[]
  readonly text: string
}

async function enqueue(
  { connection, keys }: FanoutQueuesParts,
  { exchange, queues, text }: Heard,
): Promise<void> {
  const envelope = readEnvelope(text)
  if (envelope.fields === undefined || isQueued(envelope)) return
  // A pattern also hears exchanges whose names begin alike.
  if (toDelivery(envelope, '', '').route.exchange !== exchange) return
  // Each message has a delivery tag of its own, so equal texts are one message.
  const id = createHash('sha1').update(text).digest('hex')
  const step = keys.step(priorityOf(envelope))
  const signed = queues.flatMap((queue) => [keys.list(queue, step), keys.heard(queue, id)])
  await connection.run(enqueueScript, signed, [text, LATE_MS])
  connection.listening.changedHere()
}
