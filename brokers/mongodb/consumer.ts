import type {
  Consumer,
  ConsumeOptions,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from '../../src/broker/contract.js'
import { BrokerError } from '../../src/errors/errors.js'
import { withDeadline } from '../../src/util/deadline.js'
import { wait } from '../../src/util/wait.js'
import type { Maintenance } from './maintenance.js'
import { Claimer } from './claimer.js'
import { asBroker } from './failure.js'
import { notConnected } from './connection.js'
import type { ResultWriter } from './result-writer.js'
import { acknowledge, applySettlements, giveBack, heldTags } from './settle.js'
import type { ClaimOwner } from './settle.js'
import type { Claimed } from './claimer.js'
import type { MongoStore } from './store.js'

/** What a consumer is made from. */
export interface ConsumerParts {
  readonly store: MongoStore
  readonly maintenance: Maintenance
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  readonly holder: string
  /** The result backend, if one transaction reaches it and the queues. */
  readonly writer: ResultWriter | undefined
  readonly closed: () => void
}

/** Claims of one holder. */
export class MongoConsumer implements Consumer {
  readonly holder: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly #parts: ConsumerParts
  readonly #owner: ClaimOwner
  readonly #claimer: Claimer
  readonly #queues: ReadonlySet<string>
  /** Payloads of what is claimed and not settled, by tag. */
  readonly #unsettled = new Map<string, string>()
  #credit: number
  #freed = 0
  #endWait: (() => void) | undefined
  #fetching: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    const { store, queues, holder, options, writer } = parts
    this.#parts = parts
    this.holder = holder
    this.#queues = new Set(queues)
    this.#credit = options.credit
    this.#claimer = new Claimer({ store, queues, holder, leaseMs: options.leaseMs })
    this.#owner = { store, holder, payloadOf: ({ tag }) => this.#unsettled.get(tag) }
    if (writer !== undefined) this.settle = (settlements) => this.#settleInOne(settlements, writer)
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    const fetching = asBroker(() => this.#fetch(max, options))
    this.#fetching = fetching.catch(() => undefined)
    return fetching
  }

  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#settled(deliveries, () => acknowledge(this.#owner, deliveries))
  }

  handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    const deliveries = items.map(({ delivery }) => delivery)
    return this.#settled(deliveries, () => giveBack(this.#owner, items))
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const held = await asBroker(() => heldTags(this.#owner, deliveries))
    return deliveries.filter(({ tag }) => held.has(tag))
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

  async #fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    if (this.#closing !== undefined) throw new BrokerError('the consumer is closed')
    const { store, maintenance } = this.#parts
    const deadline = performance.now() + waitMs
    for (;;) {
      const seen = store.changes.count + this.#freed
      const claimed = await this.#attempt(max)
      if (claimed.length > 0) return this.#keep(claimed)
      const leftMs = deadline - performance.now()
      if (leftMs <= 0 || this.#isOver(signal)) return []
      const nextMs = await maintenance.look()
      if (nextMs > 0 && store.changes.count + this.#freed === seen) {
        await this.#wait(Math.min(leftMs, nextMs, store.changes.pollMs), signal)
      }
      if (this.#isOver(signal)) return []
    }
  }

  async #attempt(max: number): Promise<readonly Claimed[]> {
    const room = Math.min(max, this.#credit - this.#unsettled.size)
    if (room <= 0 || this.#closing !== undefined) return []
    this.#parts.maintenance.tend()
    return this.#claimer.claim(room)
  }

  #keep(claimed: readonly Claimed[]): readonly Delivery[] {
    this.#parts.store.changes.worked()
    // What came after `close` goes back there.
    if (this.#closing !== undefined) return []
    return claimed.map(({ delivery, payload }) => {
      this.#unsettled.set(delivery.tag, payload)
      return delivery
    })
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#closing !== undefined || signal.aborted
  }

  #settleInOne(settlements: readonly Settlement[], writer: ResultWriter): Promise<readonly Delivery[]> {
    const deliveries = settlements.map(({ delivery }) => delivery)
    const { client } = this.#parts.store.lease.connection
    return this.#settled(deliveries, () =>
      client.withSession((session) =>
        session.withTransaction(() => applySettlements(this.#owner, settlements, { writer, session })),
      ),
    )
  }

  async #settled(
    deliveries: readonly Delivery[],
    work: () => Promise<readonly Delivery[]>,
  ): Promise<readonly Delivery[]> {
    if (deliveries.length === 0) return []
    const lost = await asBroker(work)
    for (const { tag } of deliveries) this.#unsettled.delete(tag)
    this.#free()
    // Follow-up messages, and what was given back: somebody in this process may wait for one.
    this.#parts.store.changes.signal()
    return lost
  }

  async #close(): Promise<void> {
    this.#free()
    const { holders, changes, settings } = this.#parts.store
    try {
      // A claim under way is made before, so that it is given back with the rest; one that is never answered is let go.
      const { answerMs } = settings.target
      await withDeadline(this.#fetching, { ms: answerMs, late: notConnected }).catch(() => undefined)
      await holders.release(this.holder, 0)
      await holders.remove(this.holder)
      changes.signal()
    } catch {
      // The connection is gone; the lease ends by itself.
    }
    this.#unsettled.clear()
    this.#parts.closed()
  }

  /** There may be room for more claims. */
  #free(): void {
    this.#freed += 1
    this.#endWait?.()
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { changes } = this.#parts.store
    await wait({
      ms,
      signal,
      until: (end) => {
        this.#endWait = end
        return changes.listen({ queues: this.#queues, changed: end })
      },
    })
    this.#endWait = undefined
  }
}
