import type { Arrival } from './envelope.js'
import type { Returner } from './returner.js'
import type { UnsettledDelivery, Unsettled } from './unsettled.js'

/** What {@link DeliveryCounts} work with. */
export interface DeliveryCountsParts {
  readonly returner: Returner
  readonly unsettled: Unsettled
  readonly settle: (held: UnsettledDelivery) => void
  /** Hand it out as it is. */
  readonly keep: (held: UnsettledDelivery) => void
  /** Resolves when the server has read what was sent so far. */
  readonly flush: () => Promise<void>
}

/**
 * Writes down that messages were delivered before, or that they have to wait on, before anyone gets them: publishes them
 * again with their count, then acknowledges the first.
 */
export class DeliveryCounts {
  readonly #parts: DeliveryCountsParts
  /** Messages whose count is being written down. */
  #open = 0
  /** Copies that came before what they are copies of was acknowledged: were this process killed now, both would come. */
  #copies: UnsettledDelivery[] = []

  constructor(parts: DeliveryCountsParts) {
    this.#parts = parts
  }

  /** Hold a message back if it may be such a copy. */
  hold(held: UnsettledDelivery): boolean {
    if (this.#open === 0 || !held.delivery.redelivered) return false
    this.#copies.push(held)
    return true
  }

  /** Publish a message again. What fails is handed out as it is. Never rejects. */
  async publish(held: UnsettledDelivery, { notBeforeMs }: Arrival): Promise<void> {
    const { returner, keep, settle, flush } = this.#parts
    const { delivery } = held
    const isEarly = notBeforeMs !== undefined && notBeforeMs > Date.now()
    const waits = isEarly ? { notBeforeMs } : {}
    if (!isEarly && delivery.deliveryCount === 1) {
      keep(held)
      return
    }
    const counted = { ...delivery, deliveryCount: delivery.deliveryCount - 1 }
    this.#open += 1
    try {
      const back = { delivery: counted, delayMs: 0, unspent: false, ...waits }
      await returner.giveBack([back], () => settle(held))
      // The copies are handed out after the acknowledgement.
      await flush()
    } catch {
      this.#keep(held)
    }
    this.#open -= 1
    if (this.#open === 0) for (const copy of this.#copies.splice(0)) this.#keep(copy)
  }

  #keep(held: UnsettledDelivery): void {
    if (this.#parts.unsettled.find(held.delivery.tag) !== undefined) this.#parts.keep(held)
  }
}
