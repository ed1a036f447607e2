import type {
  Consumer,
  ConsumeOptions,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from '../../src/broker/contract.js'
import { wait } from '../../src/util/wait.js'
import { Claimer } from './claimer.js'
import type { ClaimAttempt } from './claimer.js'
import { claimKey } from './envelope.js'
import { asBroker } from './failure.js'
import type { ResultWriter } from './result-writer.js'
import { acknowledge, applySettlements, giveBackAll } from './settle.js'
import type { ClaimOwner } from './settle.js'
import type { SqlStore } from './store.js'
import type { StoreHandle } from './store-handle.js'

/** What a consumer is made from. */
export interface ConsumerParts {
  /** Where it claims; it ends when the connection of this one breaks. */
  readonly store: SqlStore
  /** Where it settles, also after that. */
  readonly handle: StoreHandle
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  /** Id of the registered holder. */
  readonly holder: number
  /** The result backend, if it is on the same database. */
  readonly writer: ResultWriter | undefined
  readonly closed: () => void
}

/** Claims of one holder in the queue table. */
export class SqlConsumer implements Consumer {
  readonly holder: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly #parts: ConsumerParts
  readonly #holder: number
  readonly #claimer: Claimer
  readonly #unsettled = new Set<string>()
  #credit: number
  #freed = 0
  /** {@link Wake.news} up to the last try to claim. */
  #seenNews = -1
  #creditFreed: (() => void) | undefined
  #closing: Promise<void> | undefined
  #fetching: Promise<readonly Delivery[]> | undefined

  constructor(parts: ConsumerParts) {
    const { store, queues, holder, options, writer } = parts
    this.#holder = holder
    this.#parts = parts
    this.#claimer = new Claimer({ store, queues, holder, leaseMs: options.leaseMs })
    this.#credit = options.credit
    this.holder = String(holder)
    if (writer !== undefined) {
      this.settle = async (settlements) => {
        const deliveries = settlements.map(({ delivery }) => delivery)
        return this.#settled(deliveries, (claims) => applySettlements(claims, settlements))
      }
    }
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    const fetching = this.#fetch(max, options)
    this.#fetching = fetching
    return fetching
  }

  async #fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    const { wake } = this.#parts.store
    const deadline = performance.now() + waitMs
    return asBroker(async () => {
      let isWoken = wake.news !== this.#seenNews
      do {
        const seen = wake.count + this.#freed
        this.#seenNews = wake.news
        const attempt = await this.#attempt(max, isWoken)
        if (attempt.deliveries.length > 0) return this.#keep(attempt.deliveries)
        const leftMs = deadline - performance.now()
        if (leftMs <= 0) break
        // A change that came during the look has told nobody.
        if (wake.count + this.#freed === seen) await this.#wait(Math.min(leftMs, attempt.nextMs), signal)
        isWoken = wake.news !== this.#seenNews
      } while (!this.#isOver(signal))
      return []
    })
  }

  async ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#settled(deliveries, (claims) => acknowledge(claims, deliveries))
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    const deliveries = items.map(({ delivery }) => delivery)
    return this.#settled(deliveries, (claims) => giveBackAll(claims, items))
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const lost = await asBroker(async () => {
      const { database, dialect } = await this.#parts.handle.get()
      return database.read((session) => dialect.queue.lost(session, this.#holder, deliveries.map(claimKey)))
    })
    const tags = new Set(lost.map(({ id, claim }) => `${id}:${claim}`))
    return deliveries.filter(({ tag }) => !tags.has(tag))
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    this.#free()
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
  async #attempt(max: number, isWoken: boolean): Promise<ClaimAttempt> {
    const room = Math.min(max, this.#credit - this.#unsettled.size, this.#parts.store.dialect.maxBatch)
    if (this.#closing === undefined) {
      if (room > 0) return this.#claimer.claim(room, isWoken)
      // Claims that were lost would keep the credit for ever.
      await this.#claimer.check()
    }
    return { deliveries: [], nextMs: Number.POSITIVE_INFINITY }
  }

  async #close(): Promise<void> {
    this.#free()
    // A claim under way is made before, so that it is given back with the rest.
    await this.#fetching?.catch(() => [])
    const { current = this.#parts.store } = this.#parts.handle
    try {
      await current.database.transaction((session) => current.dialect.holders.close(session, this.#holder))
      current.wake.signal()
    } catch {
      // The connection is gone; the lease ends by itself.
    }
    this.#unsettled.clear()
    this.#parts.closed()
  }

  /** Remember what is claimed; a batch that comes during `close` is given back by it. */
  #keep(deliveries: readonly Delivery[]): readonly Delivery[] {
    if (this.#closing !== undefined) return []
    for (const { tag } of deliveries) this.#unsettled.add(tag)
    return deliveries
  }

  async #settled(
    deliveries: readonly Delivery[],
    work: (claims: ClaimOwner) => Promise<readonly Delivery[]>,
  ): Promise<readonly Delivery[]> {
    if (deliveries.length === 0) return []
    const lost = await asBroker(async () => {
      const store = await this.#parts.handle.get()
      const gone = await work({ store, holder: this.#holder, writer: this.#parts.writer })
      // Follow-up messages, results and what was given back: somebody in this process may wait for one.
      store.wake.settled()
      return gone
    })
    for (const { tag } of deliveries) this.#unsettled.delete(tag)
    this.#free()
    return lost
  }

  /** There may be room for more claims. */
  #free(): void {
    this.#freed += 1
    this.#creditFreed?.()
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
