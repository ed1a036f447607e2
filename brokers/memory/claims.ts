import type { MemoryBackend } from '../../backends/memory/backend.js'
import type { ConsumeOptions, Delivery, Settlement } from '../../src/broker/contract.js'
import type { Changes, ClaimAttempt, LeasedClaims } from '../../src/broker/leased-consumer.js'
import { PublishError } from '../../src/errors/errors.js'
import { Holder } from './holder.js'
import type { Entry } from './queue.js'
import type { MemoryStore } from './store.js'

let lastTag = 0

/** How {@link MemoryClaims} claim, beside the contract's options. */
export interface MemoryClaimsOptions extends ConsumeOptions {
  /** Whether claims run out after `leaseMs`. */
  readonly leases: boolean
}

/** The result backend as the broker of the same store sees it. */
type ResultWriter = Pick<MemoryBackend, 'toStored'>

/** Claims from the queues of a store, one message from each in turn. */
export class MemoryClaims implements LeasedClaims {
  readonly holder?: string
  readonly unsettled: Map<string, Entry>
  readonly changes: Changes
  readonly isAtomic: boolean
  readonly verify?: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>
  readonly #store: MemoryStore
  readonly #queues: readonly string[]
  readonly #holder = new Holder()
  readonly #leaseMs: number
  readonly #writer: ResultWriter | undefined
  #nextQueue = 0

  constructor(store: MemoryStore, queues: readonly string[], options: MemoryClaimsOptions) {
    this.#store = store
    this.#queues = queues
    this.unsettled = this.#holder.claims
    this.changes = store.changes
    this.#leaseMs = options.leases ? options.leaseMs : Number.POSITIVE_INFINITY
    for (const name of queues) this.#countConsumer(name, 1)
    this.#writer = options.results?.writer as ResultWriter | undefined
    this.isAtomic = this.#writer !== undefined
    if (!options.leases) return
    this.holder = this.#holder.id
    this.verify = async (deliveries) => {
      store.expireLeases()
      return deliveries.filter(({ tag }) => this.unsettled.has(tag))
    }
    store.addLease(this.#holder)
  }

  claim(max: number): ClaimAttempt {
    this.#store.expireLeases()
    const deliveries: Delivery[] = []
    const nowMs = this.#store.clock.now()
    let emptyInTurn = 0
    while (deliveries.length < max && emptyInTurn < this.#queues.length) {
      const queue = this.#queues[this.#nextQueue] ?? ''
      this.#nextQueue = (this.#nextQueue + 1) % this.#queues.length
      const entry = this.#store.take(queue, nowMs)
      emptyInTurn = entry === undefined ? emptyInTurn + 1 : 0
      if (entry !== undefined) deliveries.push(this.#deliver(entry))
    }
    // What is due while there is no credit waits for credit, not for time to pass.
    const awaited = max > 0 ? this.#queues : []
    if (deliveries.length === 0) return { deliveries, nextMs: this.#store.nextChangeMs(awaited) }
    if (this.holder !== undefined) {
      this.#holder.lost = false
      this.#store.setLease(this.#holder, nowMs + this.#leaseMs)
    }
    return { deliveries }
  }

  /** Everything that can fail comes first; from the first change on nothing can. */
  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    this.#store.expireLeases()
    const plans = settlements.map((settlement) => this.#plan(settlement))
    const nowMs = this.#store.clock.now()
    const lost: Delivery[] = []
    for (const { settlement, routes, record } of plans) {
      const { delivery, handBack } = settlement
      const entry = this.unsettled.get(delivery.tag)
      if (entry === undefined) {
        lost.push(delivery)
        continue
      }
      this.unsettled.delete(delivery.tag)
      for (const [index, outgoing] of settlement.publish.entries()) {
        this.#store.accept(outgoing, routes[index] ?? [], nowMs)
      }
      if (record !== undefined) this.#store.results.put(record, settlement.recordTtlMs ?? 0)
      if (handBack !== undefined) this.#store.giveBack(entry, handBack, nowMs)
    }
    this.#store.changes.signal()
    return lost
  }

  async release(): Promise<void> {
    this.#store.expireLeases()
    this.#store.removeLease(this.#holder)
    for (const name of this.#queues) this.#countConsumer(name, -1)
    const nowMs = this.#store.clock.now()
    for (const entry of this.unsettled.values()) {
      this.#store.giveBack(entry, { delayMs: 0, unspent: true }, nowMs)
    }
    this.unsettled.clear()
    this.#store.changes.signal()
  }

  #plan(settlement: Settlement): SettlementPlan {
    const routes = settlement.publish.map((outgoing) => this.#store.routesOf(outgoing))
    const unroutable = routes.flatMap((queues, index) => (queues.length === 0 ? [index] : []))
    if (unroutable.length > 0) throw new PublishError('a follow-up message reaches no queue', unroutable)
    const record = settlement.record === undefined ? undefined : this.#writer?.toStored(settlement.record)
    return { settlement, routes, record }
  }

  #deliver(entry: Entry): Delivery {
    lastTag += 1
    const tag = lastTag.toString(36)
    this.unsettled.set(tag, entry)
    const redelivered = entry.handedOut
    entry.handedOut = true
    const { message, queue, route, spent, due } = entry
    return { message, queue, route, deliveryCount: spent + 1, redelivered, due, tag }
  }

  #countConsumer(name: string, change: number): void {
    const queue = this.#store.queue(name)
    if (queue === undefined) return
    queue.consumers += change
    queue.idleSinceMs = this.#store.clock.now()
  }
}

interface SettlementPlan {
  readonly settlement: Settlement
  readonly routes: readonly (readonly string[])[]
  readonly record: ReturnType<MemoryBackend['toStored']> | undefined
}
