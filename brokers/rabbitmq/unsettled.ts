import type { ConsumeMessage } from 'amqplib'
import type { Delivery } from '../../src/broker/contract.js'
import type { QueueConsumer } from './queue-consumers.js'

/** A message the server has sent and that is not settled. */
export interface UnsettledDelivery {
  /** As it came; its delivery tag is a number that rises within a channel. */
  readonly message: ConsumeMessage
  /** The AMQP consumer that it came by. */
  readonly consumer: QueueConsumer
  /** What is handed out. */
  readonly delivery: Delivery
  /** When it was handed out, in milliseconds of the process; 0 before. */
  handedOutMs: number
}

/** What to tell the server: everything up to one, and others one by one. */
export interface Acknowledgement {
  readonly upTo: UnsettledDelivery | undefined
  readonly single: readonly UnsettledDelivery[]
}

/**
 * The deliveries of one channel that are not settled, in the order of their numbers.
 *
 * Settling those with the lowest numbers takes one frame whatever their count.
 */
export class Unsettled {
  /** In the order of numbers, since the server counts up. */
  readonly #open = new Map<number, UnsettledDelivery>()
  readonly #byTag = new Map<string, UnsettledDelivery>()

  /** Everything that is not settled, oldest first. */
  get all(): readonly UnsettledDelivery[] {
    return [...this.#open.values()]
  }

  /** How many are not settled. */
  get size(): number {
    return this.#open.size
  }

  /** How many of a queue are not settled. */
  countOf(queue: string): number {
    let count = 0
    for (const held of this.#open.values()) if (held.consumer.queue === queue) count += 1
    return count
  }

  /** A delivery came. */
  add(held: UnsettledDelivery): void {
    this.#open.set(held.message.fields.deliveryTag, held)
    this.#byTag.set(held.delivery.tag, held)
  }

  /** The delivery with this tag, unless it is settled. */
  find(tag: string): UnsettledDelivery | undefined {
    return this.#byTag.get(tag)
  }

  /** Settle these, which are all held; says how to tell the server. */
  settle(settled: readonly UnsettledDelivery[]): Acknowledgement {
    const rest = new Set(settled)
    for (const held of settled) this.#byTag.delete(held.delivery.tag)
    let upTo: UnsettledDelivery | undefined
    for (const [number, held] of this.#open) {
      if (!rest.delete(held)) break
      upTo = held
      this.#open.delete(number)
    }
    for (const held of rest) this.#open.delete(held.message.fields.deliveryTag)
    return { upTo, single: [...rest] }
  }

  /** Forget everything: the channel is gone. */
  clear(): void {
    this.#open.clear()
    this.#byTag.clear()
  }
}
