import type { ResultBackend } from '../../backend/contract.js'
import type { Broker, Consumer, Delivery } from '../../broker/contract.js'
import { BrokerConnectionError, LovageError } from '../../errors/errors.js'
import type { TaskLogger } from '../../task/logger.js'
import { BatchQueue } from '../../util/batch-queue.js'
import { backoffMs } from '../../util/backoff.js'
import type { Clock } from '../../util/clock.js'
import { withDeadline } from '../../util/deadline.js'
import { failpoint } from '../../util/failpoint.js'
import { append } from '../../util/long-list.js'
import { toError } from '../../util/to-error.js'
import { declareOnce } from '../../broker/declare-once.js'
import { ownSettlements } from './own-settlements.js'
import { settleInOrder, type Stores } from './settle-in-order.js'
import type { SettleItem } from './settle-item.js'

/** What a {@link Settler} works with. */
export interface SettlerParts {
  readonly broker: Broker
  readonly consumer: Consumer
  readonly backend: ResultBackend | undefined
  readonly clock: Clock
  readonly logger: TaskLogger
  /** Longest try, in milliseconds; then the connection counts as lost. */
  readonly limitMs: number
  /** How long a claim lasts unless it is renewed, in milliseconds. */
  readonly leaseMs: number
  /** The connection failed. Told at every failure; whoever hears it builds another connection for new claims. */
  readonly lost: (error: Error) => void
  /** Takes over what needs no claim when this connection is gone for good. */
  readonly orphaned: (item: SettleItem) => void
}

/** One try to write a batch. */
interface Attempt {
  readonly batch: SettleItem[]
  /** Its time was up: the batch belongs to a later try. */
  isOver: boolean
}

const RETRY = { firstMs: 50, maxMs: 5_000, jitter: 0.5 }

/**
 * Writes the settlements of one consumer's claims, one batch at a time: whatever ends while a batch is under way, or in
 * the same turn of the event loop, travels together.
 *
 * A settlement stays here until it was applied or its claim is known to be lost. Where claims outlive the connection
 * (they are leased), a failing store is asked again and again; where they die with it, they are dropped,
 * since the store delivers them again.
 */
export class Settler {
  readonly #parts: SettlerParts
  readonly #waiting = new BatchQueue<SettleItem>()
  /** A try of these failed: the store may have applied them, and only its answer is lost. */
  readonly #unsure = new WeakSet<SettleItem>()
  /** Set while a batch is under way, due to begin, or put off. */
  #isBusy = false
  #isDead = false
  #tries = 0
  #cancelRetry: (() => void) | undefined

  constructor(parts: SettlerParts) {
    this.#parts = parts
  }

  /** Whether nothing is written here any more: a claim of this consumer cannot be settled. */
  get isDead(): boolean {
    return this.#isDead
  }

  /** Take a settlement. It leads to exactly one call of `settled` or `refused`. */
  add(item: SettleItem): void {
    if (this.#isDead) {
      this.#drop(item)
      return
    }
    this.#waiting.push(item)
    if (!this.#isBusy) this.#schedule()
  }

  /** Try again at once what waits for the store to come back. */
  retryNow(): void {
    if (this.#cancelRetry === undefined) return
    this.#cancelRetry()
    this.#cancelRetry = undefined
    this.#schedule()
  }

  /** Drop what waits and what still comes: no connection will come any more, or the claims died with it. */
  abandon(): void {
    this.#isDead = true
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    for (const item of this.#waiting.clear()) this.#drop(item)
  }

  #drop(item: SettleItem): void {
    if (item.acked) this.#parts.orphaned(item)
    else item.settled(false)
  }

  #schedule(): void {
    this.#isBusy = true
    setImmediate(() => {
      // Cannot reject: #flush catches what the stores do, and owners do not throw.
      void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    if (this.#waiting.size === 0) {
      this.#isBusy = false
      return
    }
    const batch = this.#waiting.take()
    const attempt: Attempt = { batch, isOver: false }
    try {
      await withDeadline(this.#apply(attempt), {
        ms: this.#parts.limitMs,
        late: () => new BrokerConnectionError(`settling took longer than ${this.#parts.limitMs} ms`),
      })
      this.#tries = 0
      this.#next()
    } catch (error) {
      // What answers after the deadline is nobody's any more: the settlements are in the next attempt.
      attempt.isOver = true
      this.#failed(batch, toError(error))
    }
  }

  #next(): void {
    if (this.#waiting.size > 0) this.#schedule()
    else this.#isBusy = false
  }

  /** Each part that is done leaves the batch at once, so that an error later on does not repeat it. */
  async #apply(attempt: Attempt): Promise<void> {
    const { broker, consumer } = this.#parts
    const { batch } = attempt
    for (const { declares } of batch) if (declares !== undefined) await declareOnce(broker, declares)
    if (consumer.settle === undefined) {
      const lost = await settleInOrder(this.#stores(), batch)
      this.#report(attempt, batch, await this.#lostToOthers(batch, lost))
      return
    }
    const early = batch.filter((item) => item.acked)
    if (early.length > 0) {
      const lost = await settleInOrder(this.#stores(), early)
      if (attempt.isOver) return
      const claimed = batch.filter((item) => !item.acked)
      batch.length = 0
      append(batch, claimed)
      this.#report(attempt, early, lost)
    }
    if (batch.length === 0) return
    failpoint('worker.before-settle')
    const lost = await consumer.settle(batch.map((item) => item.settlement))
    failpoint('worker.settled')
    this.#report(attempt, batch, await this.#lostToOthers(batch, lost))
  }

  /** Without those whose claim is gone because an earlier try of ours ended it. */
  async #lostToOthers(items: readonly SettleItem[], lost: readonly Delivery[]): Promise<readonly Delivery[]> {
    if (lost.length === 0) return lost
    const gone = new Set(lost.map((delivery) => delivery.tag))
    const unsure = items.filter((item) => this.#unsure.has(item) && gone.has(item.delivery.tag))
    if (unsure.length === 0) return lost
    const own = await ownSettlements(this.#parts, unsure)
    return lost.filter((delivery) => !own.has(delivery.tag))
  }

  #stores(): Stores {
    const { broker, consumer, backend } = this.#parts
    return { broker, consumer, backend }
  }

  #report(attempt: Attempt, items: readonly SettleItem[], lost: readonly Delivery[]): void {
    if (attempt.isOver) return
    if (lost.length === 0) {
      for (const item of items) item.settled(true)
      return
    }
    const gone = new Set(lost.map((delivery) => delivery.tag))
    for (const item of items) item.settled(!gone.has(item.delivery.tag))
  }

  #failed(batch: readonly SettleItem[], error: Error): void {
    const lostConnection = error instanceof BrokerConnectionError
    if (lostConnection) this.#parts.lost(error)
    for (const item of batch) this.#unsure.add(item)
    if (this.#isDead || (lostConnection && this.#parts.broker.capabilities.claims === 'connection')) {
      this.#waiting.putBack(batch)
      this.abandon()
      return
    }
    if (isRetryable(error)) {
      this.#waiting.putBack(batch)
      this.#retryLater(error)
      return
    }
    if (batch.length === 1) batch[0]?.refused(error)
    else this.#waiting.putBackSingly(batch)
    this.#next()
  }

  #retryLater(error: Error): void {
    const delayMs = backoffMs(this.#tries, RETRY)
    this.#tries += 1
    this.#parts.logger.warn(
      { err: error, waiting: this.#waiting.size, delayMs },
      `Settlements could not be written: ${error.message}; trying again in ${delayMs} ms`,
    )
    this.#cancelRetry = this.#parts.clock.setTimer(delayMs, () => {
      this.#cancelRetry = undefined
      this.#schedule()
    })
  }
}

function isRetryable(error: Error): boolean {
  return error instanceof LovageError && error.retryable
}
