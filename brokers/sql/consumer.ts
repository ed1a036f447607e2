import type {
  Consumer,
  ConsumeOptions,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from '../../src/broker/contract.js'
import { Claimer } from './claimer.js'
import type { ClaimAttempt } from './claimer.js'
import { claimKey } from './envelope.js'
import { asBroker } from './failure.js'
import type { ResultWriter } from './result-writer.js'
import { acknowledge, applySettlements, giveBackAll } from './settle.js'
import type { ClaimOwner } from './settle.js'
import type { SqlStore } from './store.js'
import { wait } from './wake.js'

/** What a consumer is made from. */
export interface ConsumerParts {
  readonly store: SqlStore
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  /** Id of the registered holder. */
  readonly holder: number
  readonly owner: string
  /** The result backend, if it is on the same database. */
  readonly writer: ResultWriter | undefined
  readonly closed: () => void
}

/** Claims of one holder in the queue table. */
export class SqlConsumer implements Consumer {
  readonly holder: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly #parts: ConsumerParts
  readonly #owner: ClaimOwner
  readonly #claimer: Claimer
  readonly #unsettled = new Set<string>()
  #credit: number
  #creditFreed: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    const { store, queues, holder, owner, options, writer } = parts
    this.#parts = parts
    this.#owner = { store, holder, writer }
    this.#claimer = new Claimer({ store, queues, holder, owner, leaseMs: options.leaseMs })
    this.#credit = options.credit
    this.holder = String(holder)
    if (writer !== undefined) {
      this.settle = async (settlements) => {
        const deliveries = settlements.map(({ delivery }) => delivery)
        return this.#settled(deliveries, async () => applySettlements(this.#owner, settlements))
      }
    }
  }

  async fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    const { wake } = this.#parts.store
    const deadline = performance.now() + waitMs
    return asBroker(async () => {
      do {
        const seen = wake.count
        const attempt = await this.#attempt(max)
        if (attempt.deliveries.length > 0) return this.#keep(attempt.deliveries)
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) break
        // A change that came during the look has told nobody.
        if (wake.count === seen) await this.#wait(Math.min(leftMs, attempt.nextMs), signal)
      } while (!this.#isOver(signal))
      return []
    })
  }

  async ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#settled(deliveries, async () => acknowledge(this.#owner, deliveries))
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    const deliveries = items.map(({ delivery }) => delivery)
    return this.#settled(deliveries, async () => {
      const lost = await giveBackAll(this.#owner, items)
      this.#parts.store.wake.signal()
      return lost
    })
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { database, dialect } = this.#parts.store
    return asBroker(async () => {
      const lost = await database.read(async (session) =>
        dialect.lost(session, this.#owner.holder, deliveries.map(claimKey)),
      )
      const tags = new Set(lost.map(({ id, claim }) => `${id}:${claim}`))
      return deliveries.filter(({ tag }) => !tags.has(tag))
    })
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    this.#creditFreed?.()
    await Promise.resolve()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#closing !== undefined || signal.aborted
  }

  /** Claim as far as the credit goes. */
  async #attempt(max: number): Promise<ClaimAttempt> {
    const room = Math.min(max, this.#credit - this.#unsettled.size, this.#parts.store.dialect.maxBatch)
    return room > 0 && this.#closing === undefined
      ? this.#claimer.claim(room)
      : { deliveries: [], nextMs: Number.POSITIVE_INFINITY }
  }

  async #close(): Promise<void> {
    const { database, dialect, wake } = this.#parts.store
    this.#creditFreed?.()
    try {
      await database.transaction(async (session) => {
        await dialect.closeHolder(session, this.#owner.holder)
      })
      wake.signal()
    } catch {
      // The connection is gone; the lease ends by itself.
    }
    this.#unsettled.clear()
    this.#parts.closed()
  }

  /** Remember what is claimed; a batch that came after `close` has been given back already. */
  #keep(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (this.#closing !== undefined) return []
    for (const { tag } of deliveries) this.#unsettled.add(tag)
    return deliveries
  }

  async #settled(
    deliveries: readonly Delivery[],
    work: () => Promise<readonly Delivery[]>,
  ): Promise<readonly Delivery[]> {
    if (deliveries.length === 0) return []
    const lost = await asBroker(work)
    for (const { tag } of deliveries) this.#unsettled.delete(tag)
    this.#creditFreed?.()
    return lost
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { wake, target } = this.#parts.store
    // Processes that were started together do not stay in step.
    const pollMs = target.pollMs * (0.8 + 0.4 * Math.random())
    await wait({
      ms: Math.min(ms, pollMs),
      signal,
      until: (end) => {
        this.#creditFreed = end
        return wake.subscribe(end)
      },
    })
    this.#creditFreed = undefined
  }
}
