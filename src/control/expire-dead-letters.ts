import type { Broker, Consumer, Delivery } from '../broker/contract.js'
import { deadLetterQueue, readDeadLetter } from './dead-letter.js'

/** How long, and how many, dead letters are kept. */
export interface LetterLimits {
  /** Age at which one is dropped, in milliseconds; `Infinity` keeps it. */
  readonly expiresMs: number
  /** Most letters of one queue; the oldest are dropped first. `Infinity` sets no limit. */
  readonly maxLength: number
}

const BATCH = 100
/** Most letters that one look holds while it passes over those without a date, which others put there. */
const CREDIT = 1_000
const LEASE_MS = 30_000

/**
 * Drop the dead letters of a queue that are too old or too many; resolves with how many that were.
 *
 * Where the store drops what is too old by itself, only their number is looked at. The others see the letters again as soon
 * as this has looked at them.
 */
export async function expireDeadLetters(
  broker: Broker,
  queue: string,
  limits: LetterLimits,
  nowMs: number,
): Promise<number> {
  const name = deadLetterQueue(queue)
  const depth = await broker.depth(name)
  const surplus = Math.max(0, depth - limits.maxLength)
  const agesHere = broker.capabilities.expires !== true && Number.isFinite(limits.expiresMs)
  if (depth === 0 || (surplus === 0 && !agesHere)) return 0
  const diedBefore = agesHere ? nowMs - limits.expiresMs : Number.NEGATIVE_INFINITY
  const consumer = await broker.consume([name], { credit: CREDIT, leaseMs: LEASE_MS })
  try {
    return await drop(consumer, surplus, diedBefore)
  } finally {
    await consumer.close()
  }
}

/** From the oldest on, until a look finds none to drop. */
async function drop(consumer: Consumer, surplus: number, diedBefore: number): Promise<number> {
  const { signal } = new AbortController()
  let dropped = 0
  for (;;) {
    const letters = await consumer.fetch(BATCH, { waitMs: 0, signal })
    const over = letters.filter((letter, index) => dropped + index < surplus || isOlder(letter, diedBefore))
    if (over.length === 0) return dropped
    await consumer.ack(over)
    dropped += over.length
  }
}

function isOlder(letter: Delivery, diedBefore: number): boolean {
  const { atMs } = readDeadLetter(letter)
  return atMs !== undefined && atMs < diedBefore
}
