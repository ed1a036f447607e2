import type { Broker, Consumer, Delivery } from '../broker/contract.js'
import { leaseOf } from '../broker/lease-of.js'
import { LeaseLostError } from '../errors/errors.js'
import { systemClock } from '../util/clock.js'

/** How many renewals fall into one lease, so that one may fail. */
const RENEWALS_IN_A_LEASE = 3

/** The letters that somebody looks at, renewed until they are done with: a long replay takes longer than a lease. */
export class DeadLetterClaims {
  readonly #broker: Broker
  readonly #consumer: Consumer
  readonly #leaseMs: number
  readonly #tags = new Set<string>()
  #isLost = false
  #isStopped = false
  #cancel: (() => void) | undefined

  constructor(broker: Broker, consumer: Consumer, leaseMs: number) {
    this.#broker = broker
    this.#consumer = consumer
    this.#leaseMs = leaseMs
    this.#arm()
  }

  /** Letters were claimed. */
  take(letters: readonly Delivery[]): void {
    for (const { tag } of letters) this.#tags.add(tag)
  }

  /** Acknowledge letters. @throws {@link LeaseLostError} when others may have had them meanwhile. */
  async acknowledge(letters: readonly Delivery[]): Promise<void> {
    for (const { tag } of letters) this.#tags.delete(tag)
    if ((await this.#consumer.ack(letters)).length > 0) throw lost()
  }

  /** @throws {@link LeaseLostError} when somebody else may have the letters by now. */
  assertHeld(): void {
    if (this.#isLost) throw lost()
  }

  /** Renew no more. */
  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  #arm(): void {
    const lease = leaseOf(this.#broker, this.#consumer)
    if (lease === undefined) return
    const { leases, holder } = lease
    const renew = async (): Promise<void> => {
      try {
        const tags = leases.renews === 'tags' ? [...this.#tags] : []
        const { held, lostTags } = await leases.renew(holder, tags, this.#leaseMs)
        // A letter that was acknowledged meanwhile is not lost.
        this.#isLost ||= !held || lostTags.some((tag) => this.#tags.has(tag))
      } catch {
        // The next renewal may succeed; when none does, the acknowledgement says so.
      }
      if (!this.#isStopped) this.#arm()
    }
    // Cannot reject.
    const everyMs = Math.floor(this.#leaseMs / RENEWALS_IN_A_LEASE)
    this.#cancel = systemClock.setTimer(everyMs, () => void renew(), { unref: true })
  }
}

function lost(): LeaseLostError {
  return new LeaseLostError(
    'the claims on the dead letters ran out: somebody else may have sent some of them',
  )
}
