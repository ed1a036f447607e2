import { randomUUID } from 'node:crypto'
import type { Channel } from 'amqplib'
import type { Delivery } from '../../src/broker/contract.js'
import { toTable } from './table.js'
import type { Publishes } from './returner.js'
import { HELD_PREFIX, MARK } from './marks.js'

/** What {@link LongClaims} work with. */
export interface LongClaimsParts {
  /** How long a message stays with a worker that does not renew it, in milliseconds. */
  readonly keepMs: number
  readonly publisher: Publishes
  /** Do something on a channel for declarations. */
  readonly run: <Result>(work: (channel: Channel) => Promise<Result>) => Promise<Result>
}

interface LongClaim {
  readonly delivery: Delivery
  readonly queue: string
  isLost: boolean
}

/**
 * Claims that outlast what the server allows a delivery to go unacknowledged (`consumer_timeout`, half an hour).
 *
 * The message moves into a queue of its own, where it is nobody's delivery; from there it goes back to its queue by itself
 * when it is not renewed, and to nowhere when the claim ends, since the queue is deleted then.
 */
export class LongClaims {
  readonly #parts: LongClaimsParts
  readonly #claims = new Map<string, LongClaim>()
  #renewing: NodeJS.Timeout | undefined

  constructor(parts: LongClaimsParts) {
    this.#parts = parts
  }

  /** Deliveries that are claimed in this way. */
  get all(): readonly Delivery[] {
    return [...this.#claims.values()].map(({ delivery }) => delivery)
  }

  /** Whether a delivery is claimed in this way. */
  has(tag: string): boolean {
    return this.#claims.has(tag)
  }

  /** Move the message of a delivery; the delivery itself is to be acknowledged then. */
  async take(delivery: Delivery): Promise<void> {
    const claim: LongClaim = { delivery, queue: HELD_PREFIX + randomUUID(), isLost: false }
    const { keepMs, run } = this.#parts
    const args = {
      'x-message-ttl': keepMs,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': delivery.queue,
      'x-expires': 4 * keepMs,
    }
    await run((channel) => channel.assertQueue(claim.queue, { durable: true, arguments: toTable(args) }))
    try {
      await this.#put(claim)
    } catch (error) {
      // The server may take it after all, and would give it back while its task runs.
      await run((channel) => channel.deleteQueue(claim.queue)).catch(() => undefined)
      throw error
    }
    this.#claims.set(delivery.tag, claim)
    this.#renewing ??= setInterval(() => void this.#renewAll(), keepMs / 4).unref()
  }

  /**
   * End claims. Resolves with the deliveries that were someone else's by then; rejects once all have been tried.
   *
   * They are out of {@link all} at once: whoever gives back what is left must not meet them.
   */
  async release(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const claims = deliveries.flatMap(({ tag }) => this.#claims.get(tag) ?? [])
    for (const { delivery } of claims) this.#claims.delete(delivery.tag)
    if (this.#claims.size === 0) this.stop()
    const lost: Delivery[] = []
    const failures: unknown[] = []
    for (const claim of claims) {
      try {
        const { messageCount } = await this.#parts.run((channel) => channel.deleteQueue(claim.queue))
        if (claim.isLost || messageCount === 0) lost.push(claim.delivery)
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
    return lost
  }

  /** Renew no longer: what is still claimed goes back by itself. */
  stop(): void {
    clearInterval(this.#renewing)
    this.#renewing = undefined
  }

  async #renewAll(): Promise<void> {
    for (const claim of [...this.#claims.values()]) {
      try {
        await this.#renew(claim)
      } catch {
        // The next round tries again; the message goes back by itself if none succeeds.
      }
    }
  }

  async #renew(claim: LongClaim): Promise<void> {
    if (claim.isLost || !this.#claims.has(claim.delivery.tag)) return
    await this.#put(claim)
    const old = await this.#parts.run((channel) => channel.get(claim.queue, { noAck: true }))
    if (old !== false) return
    claim.isLost = true
    await this.#parts.run((channel) => channel.purgeQueue(claim.queue))
  }

  async #put({ delivery, queue }: LongClaim): Promise<void> {
    const { exchange, routingKey } = delivery.route
    await this.#parts.publisher.publish([
      {
        route: { exchange: '', routingKey: queue },
        message: delivery.message,
        marks: {
          [MARK.deliveries]: delivery.deliveryCount,
          [MARK.route]: { exchange, routing_key: routingKey },
          ...(delivery.due && { [MARK.due]: true }),
        },
      },
    ])
  }
}
