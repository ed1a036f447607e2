import type { Broker, Consumer, Delivery } from '../broker/contract.js'
import { LocalKeeper, type TagChange } from '../broker/lease-keeper.js'
import { leaseOf } from '../broker/lease-of.js'
import { LeaseLostError } from '../errors/errors.js'
import { systemClock } from '../util/clock.js'

/** The letters that somebody looks at, renewed until they are done with: a long replay takes longer than a lease. */
export class DeadLetterClaims {
  readonly #consumer: Consumer
  readonly #keeper: LocalKeeper
  #isLost = false

  constructor(broker: Broker, consumer: Consumer, leaseMs: number) {
    this.#consumer = consumer
    // The next renewal may succeed; when none does, the acknowledgement says so.
    this.#keeper = new LocalKeeper({ leaseMs, clock: systemClock, failed: () => undefined })
    const lease = leaseOf(broker, consumer)
    if (lease !== undefined) this.#keeper.hold({ ...lease, lost: () => (this.#isLost = true) })
  }

  /** Letters were claimed. */
  take(letters: readonly Delivery[]): void {
    this.#changed({ added: letters.map(({ tag }) => tag), removed: [] })
  }

  /** Acknowledge letters. @throws {@link LeaseLostError} when others may have had them meanwhile. */
  async acknowledge(letters: readonly Delivery[]): Promise<void> {
    this.#changed({ added: [], removed: letters.map(({ tag }) => tag) })
    if ((await this.#consumer.ack(letters)).length > 0) throw lost()
  }

  /** @throws {@link LeaseLostError} when somebody else may have the letters by now. */
  assertHeld(): void {
    if (this.#isLost) throw lost()
  }

  /** Renew no more. */
  stop(): Promise<void> {
    return this.#keeper.stop()
  }

  #changed(change: TagChange): void {
    const { holder } = this.#consumer
    if (holder !== undefined) this.#keeper.changed(holder, change)
  }
}

function lost(): LeaseLostError {
  return new LeaseLostError(
    'the claims on the dead letters ran out: somebody else may have sent some of them',
  )
}
