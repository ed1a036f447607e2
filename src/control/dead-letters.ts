import type { Broker, Consumer, Delivery, Outgoing } from '../broker/contract.js'
import { PublishError } from '../errors/errors.js'
import { append } from '../util/long-list.js'
import { DeadLetterClaims } from './dead-letter-claims.js'
import { deadLetterQueue, deadLetterQueueSpec, readDeadLetter, type DeadLetter } from './dead-letter.js'

/** Which dead letters, and how many. */
export interface DeadLetterQuery {
  /**
   * Most letters to look at.
   *
   * @defaultValue 1000
   */
  readonly limit?: number
  /** Only these task ids; all when left out. */
  readonly ids?: readonly string[]
  /**
   * How soon the letters come back when whoever looks at them dies, in milliseconds. Nobody else sees them meanwhile.
   *
   * @defaultValue 30,000
   */
  readonly leaseMs?: number
}

const DEFAULT_LIMIT = 1000
const BATCH = 100
const LOOK_LEASE_MS = 30_000

/** The dead letters of a queue, the oldest first. They stay where they are. */
export async function listDeadLetters(
  broker: Broker,
  queue: string,
  query: DeadLetterQuery = {},
): Promise<readonly DeadLetter[]> {
  return withLetters(broker, queue, query, async (found) => found.map(readDeadLetter))
}

/** One dead letter by task id; `undefined` when it is not among the first `limit`. */
export async function showDeadLetter(
  broker: Broker,
  queue: string,
  id: string,
): Promise<DeadLetter | undefined> {
  const letters = await listDeadLetters(broker, queue, { limit: 100_000, ids: [id] })
  return letters[0]
}

/**
 * Publish dead letters again to the queue where they died, with a fresh count of deliveries, then acknowledge them.
 *
 * @returns The letters that were sent. A crash in between leaves a letter in both places.
 * @throws `PublishError` when some cannot be sent; these stay, those before and beside them are gone. `LeaseLostError`
 * when the claims ran out: the letters that were not sent stay.
 */
export async function replayDeadLetters(
  broker: Broker,
  queue: string,
  query: DeadLetterQuery = {},
): Promise<readonly DeadLetter[]> {
  return withLetters(broker, queue, query, async (found, claims) => {
    const letters = found.map(readDeadLetter)
    for (let from = 0; from < found.length; from += BATCH) {
      const claimed = found.slice(from, from + BATCH)
      claims.assertHeld()
      try {
        await broker.publish(letters.slice(from, from + BATCH).map(toReplay))
      } catch (error) {
        // What was published must not be published again by the next replay.
        if (error instanceof PublishError) await claims.acknowledge(confirmed(claimed, error))
        throw error
      }
      await claims.acknowledge(claimed)
    }
    return letters
  })
}

/** To the one queue by name: an exchange would hand it to every queue that is bound, and it died in one. */
function toReplay({ queue, message }: DeadLetter): Outgoing {
  return { route: { exchange: '', routingKey: queue }, message }
}

function confirmed(claimed: readonly Delivery[], { indexes }: PublishError): readonly Delivery[] {
  const failed = new Set(indexes)
  return claimed.filter((_delivery, index) => !failed.has(index))
}

/** Drop the dead letters of a queue, or only those of some ids; resolves with how many there were. */
export async function purgeDeadLetters(
  broker: Broker,
  queue: string,
  query: DeadLetterQuery = {},
): Promise<number> {
  if (query.ids === undefined && query.limit === undefined) {
    await broker.declare(deadLetterQueueSpec(queue))
    return broker.purge(deadLetterQueue(queue))
  }
  return withLetters(broker, queue, query, async (found, claims) => {
    await claims.acknowledge(found)
    return found.length
  })
}

/** Claim letters, use them, and give back unspent what was not acknowledged. */
async function withLetters<Value>(
  broker: Broker,
  queue: string,
  query: DeadLetterQuery,
  use: (found: readonly Delivery[], claims: DeadLetterClaims) => Promise<Value>,
): Promise<Value> {
  await broker.declare(deadLetterQueueSpec(queue))
  const limit = query.limit ?? DEFAULT_LIMIT
  const { leaseMs = LOOK_LEASE_MS } = query
  const consumer = await broker.consume([deadLetterQueue(queue)], { credit: limit, leaseMs })
  const claims = new DeadLetterClaims(broker, consumer, leaseMs)
  try {
    return await use(await claim(consumer, claims, limit, query.ids), claims)
  } finally {
    await claims.stop()
    await consumer.close()
  }
}

async function claim(
  consumer: Consumer,
  claims: DeadLetterClaims,
  limit: number,
  ids: readonly string[] | undefined,
): Promise<Delivery[]> {
  const wanted = ids === undefined ? undefined : new Set(ids)
  const found: Delivery[] = []
  const { signal } = new AbortController()
  for (let seen = 0; seen < limit;) {
    const batch = await consumer.fetch(Math.min(BATCH, limit - seen), { waitMs: 0, signal })
    if (batch.length === 0) return found
    claims.take(batch)
    seen += batch.length
    append(
      found,
      batch.filter((delivery) => wanted?.has(readDeadLetter(delivery).id) ?? true),
    )
    if (wanted !== undefined && found.length >= wanted.size) return found
  }
  return found
}
