import type { MemoryBackend } from '../../backends/memory/backend.js'
import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from '../../src/broker/contract.js'
import { BrokerError, PublishError } from '../../src/errors/errors.js'
import { Holder } from './holder.js'
import type { Entry } from './queue.js'
import type { MemoryStore } from './store.js'
import type { Waiter } from './waiting-consumers.js'

let lastTag = 0

/** How {@link MemoryConsumer} claims, beside the contract's options. */
export interface MemoryConsumerOptions extends ConsumeOptions {
  /** Whether claims run out after `leaseMs`. */
  readonly leases: boolean
  /** Called once, when the consumer is closed. */
  readonly onClose: (consumer: MemoryConsumer) => void
}

/** The result backend as the broker of the same store sees it. */
export type ResultWriter = Pick<MemoryBackend, 'toStored'>

/** Claims from the queues of a store, one message from each in turn. */
export class MemoryConsumer implements Consumer {
  readonly holder?: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly verify?: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>
  readonly #store: MemoryStore
  readonly #queues: readonly string[]
  readonly #holder = new Holder()
  readonly #leaseMs: number
  readonly #onClose: (consumer: MemoryConsumer) => void
  readonly #waiters = new Set<FetchWaiter>()
  #credit: number
  #nextQueue = 0
  #closed = false

  constructor(store: MemoryStore, queues: readonly string[], options: MemoryConsumerOptions) {
    this.#store = store
    this.#queues = queues
    this.#credit = options.credit
    this.#onClose = options.onClose
    this.#leaseMs = options.leases ? options.leaseMs : Number.POSITIVE_INFINITY
    for (const name of queues) this.#countConsumer(name, 1)
    const { results } = options
    if (results !== undefined) {
      const writer = results.writer as ResultWriter
      this.settle = (settlements) => this.#settle(settlements, writer)
    }
    if (!options.leases) return
    this.holder = this.#holder.id
    this.verify = (deliveries) => this.#verify(deliveries)
    store.addLease(this.#holder)
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    if (this.#closed) return Promise.reject(new BrokerError('the consumer is closed'))
    this.#store.expireLeases()
    const batch = this.#claim(max)
    if (batch.length > 0 || options.waitMs <= 0 || options.signal.aborted) return Promise.resolve(batch)
    return this.#wait(max, options)
  }

  async ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    this.#store.expireLeases()
    const lost = deliveries.filter((delivery) => !this.#holder.claims.delete(delivery.tag))
    this.#serveOwnWaiters()
    return lost
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    this.#store.expireLeases()
    const nowMs = this.#store.clock.now()
    const lost: Delivery[] = []
    const touched = new Set<string>()
    for (const item of items) {
      const entry = this.#release(item.delivery)
      if (entry === undefined) {
        lost.push(item.delivery)
        continue
      }
      this.#store.giveBack(entry, item, nowMs)
      touched.add(entry.queue)
    }
    this.#store.wake(touched)
    this.#serveOwnWaiters()
    return lost
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    this.#serveOwnWaiters()
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#onClose(this)
    for (const waiter of this.#waiters) waiter.finish([])
    this.#store.expireLeases()
    this.#store.removeLease(this.#holder)
    for (const name of this.#queues) this.#countConsumer(name, -1)
    const entries = [...this.#holder.claims.values()]
    this.#holder.claims.clear()
    const nowMs = this.#store.clock.now()
    for (const entry of entries) this.#store.giveBack(entry, { delayMs: 0, unspent: true }, nowMs)
    this.#store.wake(new Set(entries.map((entry) => entry.queue)))
  }

  async #verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    this.#store.expireLeases()
    return deliveries.filter((delivery) => this.#holder.claims.has(delivery.tag))
  }

  /** Everything that can fail comes first; from the first change on nothing can. */
  async #settle(settlements: readonly Settlement[], writer: ResultWriter): Promise<readonly Delivery[]> {
    this.#store.expireLeases()
    const plans = settlements.map((settlement) => this.#plan(settlement, writer))
    const nowMs = this.#store.clock.now()
    const lost: Delivery[] = []
    const touched = new Set<string>()
    for (const { settlement, routes, record } of plans) {
      const entry = this.#release(settlement.delivery)
      if (entry === undefined) {
        lost.push(settlement.delivery)
        continue
      }
      for (const [index, outgoing] of settlement.publish.entries()) {
        const queues = routes[index] ?? []
        this.#store.accept(outgoing, queues, nowMs)
        for (const queue of queues) touched.add(queue)
      }
      if (record !== undefined) this.#store.results.put(record, settlement.recordTtlMs ?? 0)
      if (settlement.handBack !== undefined) {
        this.#store.giveBack(entry, settlement.handBack, nowMs)
        touched.add(entry.queue)
      }
    }
    this.#store.wake(touched)
    this.#serveOwnWaiters()
    return lost
  }

  #plan(settlement: Settlement, writer: ResultWriter): SettlementPlan {
    const routes = settlement.publish.map((outgoing) => this.#store.routesOf(outgoing))
    const unroutable = routes.flatMap((queues, index) => (queues.length === 0 ? [index] : []))
    if (unroutable.length > 0) throw new PublishError('a follow-up message reaches no queue', unroutable)
    const record = settlement.record === undefined ? undefined : writer.toStored(settlement.record)
    return { settlement, routes, record }
  }

  #release(delivery: Delivery): Entry | undefined {
    const entry = this.#holder.claims.get(delivery.tag)
    if (entry !== undefined) this.#holder.claims.delete(delivery.tag)
    return entry
  }

  #claim(max: number): Delivery[] {
    const room = Math.min(max, this.#credit - this.#holder.claims.size)
    const batch: Delivery[] = []
    if (room <= 0) return batch
    const nowMs = this.#store.clock.now()
    let emptyInTurn = 0
    while (batch.length < room && emptyInTurn < this.#queues.length) {
      const queue = this.#queues[this.#nextQueue] ?? ''
      this.#nextQueue = (this.#nextQueue + 1) % this.#queues.length
      const entry = this.#store.take(queue, nowMs)
      emptyInTurn = entry === undefined ? emptyInTurn + 1 : 0
      if (entry !== undefined) batch.push(this.#deliver(entry))
    }
    if (batch.length > 0 && this.holder !== undefined) {
      this.#holder.lost = false
      this.#store.setLease(this.#holder, nowMs + this.#leaseMs)
    }
    return batch
  }

  #deliver(entry: Entry): Delivery {
    lastTag += 1
    const tag = lastTag.toString(36)
    this.#holder.claims.set(tag, entry)
    const redelivered = entry.handedOut
    entry.handedOut = true
    const { message, queue, route, spent, due } = entry
    return { message, queue, route, deliveryCount: spent + 1, redelivered, due, tag }
  }

  #wait(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    return new Promise((resolve) => {
      const waiter = new FetchWaiter(this.#queues, () => this.#claim(max))
      this.#waiters.add(waiter)
      const onAbort = (): void => {
        waiter.finish([])
      }
      const cancelTimer = this.#store.clock.setTimer(options.waitMs, onAbort)
      options.signal.addEventListener('abort', onAbort)
      waiter.finish = (batch) => {
        this.#waiters.delete(waiter)
        this.#store.waiting.leave(waiter)
        cancelTimer()
        options.signal.removeEventListener('abort', onAbort)
        resolve(batch)
      }
      this.#store.waiting.enter(waiter)
      this.#store.watchFor(this.#queues)
      // What has become due since the claim that found nothing has no alarm.
      waiter.serve()
    })
  }

  /** A waiter that had no credit left may have some now. */
  #serveOwnWaiters(): void {
    for (const waiter of this.#waiters) waiter.serve()
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

/** One call of `fetch` that found nothing yet. */
class FetchWaiter implements Waiter {
  readonly queues: readonly string[]
  readonly #claim: () => readonly Delivery[]
  /** Ends the wait. Set right after construction, before the waiter is known to anyone. */
  finish: (batch: readonly Delivery[]) => void = () => undefined

  constructor(queues: readonly string[], claim: () => readonly Delivery[]) {
    this.queues = queues
    this.#claim = claim
  }

  serve(): void {
    const batch = this.#claim()
    if (batch.length > 0) this.finish(batch)
  }
}
