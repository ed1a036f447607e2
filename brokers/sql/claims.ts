import type { ConsumeOptions, Delivery, Settlement } from '../../src/broker/contract.js'
import type { Changes, ClaimAttempt, LeasedClaims } from '../../src/broker/leased-consumer.js'
import { Claimer } from './claimer.js'
import { claimKey } from './envelope.js'
import type { ResultWriter } from './result-writer.js'
import { applySettlements } from './settle.js'
import type { SqlStore } from './store.js'
import type { ReconnectingStore } from './reconnecting-store.js'

/** What claims are made from. */
export interface ClaimsParts {
  /** Where messages are claimed; it ends when the connection of this one breaks. */
  readonly store: SqlStore
  /** Where they are settled, also after that. */
  readonly handle: ReconnectingStore
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  /** Id of the registered holder. */
  readonly holder: number
  /** The result backend, if it is on the same database. */
  readonly writer: ResultWriter | undefined
}

/** Claims of one holder in the queue table. */
export class SqlClaims implements LeasedClaims {
  readonly holder: string
  readonly unsettled: Map<string, undefined> = new Map()
  readonly changes: Changes
  readonly isAtomic: boolean
  readonly #parts: ClaimsParts
  readonly #claimer: Claimer
  /** {@link Wake.news} up to the last look. */
  #seenNews = -1

  constructor(parts: ClaimsParts) {
    const { store, queues, holder, options, writer } = parts
    this.#parts = parts
    this.#claimer = new Claimer({ store, queues, holder, leaseMs: options.leaseMs })
    this.holder = String(holder)
    this.changes = store.wake
    this.isAtomic = writer !== undefined
  }

  async claim(max: number): Promise<ClaimAttempt> {
    const { wake, dialect, settings } = this.#parts.store
    const isWoken = wake.news !== this.#seenNews
    this.#seenNews = wake.news
    let nextMs = Number.POSITIVE_INFINITY
    if (max > 0) {
      const attempt = await this.#claimer.claim(Math.min(max, dialect.maxBatch), isWoken)
      for (const { tag } of attempt.deliveries) this.unsettled.set(tag, undefined)
      if (attempt.deliveries.length > 0) return attempt
      // Rows that are ready and cannot be claimed are claimed by another at this moment.
      nextMs = Math.max(1, attempt.nextMs ?? 0)
    } else {
      // Claims that were lost would keep the credit for ever.
      await this.#claimer.check()
    }
    // Processes that were started together do not stay in step.
    return { deliveries: [], nextMs: Math.min(nextMs, settings.pollMs * (0.8 + 0.4 * Math.random())) }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const store = await this.#parts.handle.get()
    const { holder, writer } = this.#parts
    const lost = await applySettlements({ store, holder, writer }, settlements)
    // Follow-up messages, results and what was given back: somebody in this process may wait for one.
    store.wake.settled()
    return lost
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { database, dialect } = await this.#parts.handle.get()
    const keys = deliveries.map(claimKey)
    const lost = await database.read((session) => dialect.queue.lost(session, this.#parts.holder, keys))
    const tags = new Set(lost.map(({ id, claim }) => `${id}:${claim}`))
    return deliveries.filter(({ tag }) => !tags.has(tag))
  }

  async release(): Promise<void> {
    const { current = this.#parts.store } = this.#parts.handle
    await current.database.transaction((session) =>
      current.dialect.holders.close(session, this.#parts.holder),
    )
    current.wake.signal()
  }
}
