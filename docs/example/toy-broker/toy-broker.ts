import { PublishError, UnsupportedError } from 'lovage/driver'
import type {
  Broker,
  BrokerCapabilities,
  BrokerFactory,
  ConsumeOptions,
  Consumer,
  Delivery,
  FetchOptions,
  HandBack,
  Outgoing,
  QueueSpec,
} from 'lovage/driver'

// #region store
/** A message in a queue, or claimed from it. */
interface Entry {
  readonly queue: string
  readonly outgoing: Outgoing
  /** Claims that counted. */
  spent: number
  handedOut: boolean
}

/** What would be a server: queues, oldest message first, and whoever waits for a change. */
class ToyStore {
  readonly queues = new Map<string, Entry[]>()
  readonly #waiting = new Set<() => void>()

  changed(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next change, after `waitMs`, or when the signal aborts. */
  nextChange(waitMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, waitMs)
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }
}

const stores = new Map<string, ToyStore>()
// #endregion store

// #region consumer
class ToyConsumer implements Consumer {
  readonly #store: ToyStore
  readonly #queues: string[]
  readonly #claims = new Map<string, Entry>()
  readonly #closed = new AbortController()
  #credit: number
  #lastTag = 0

  constructor(store: ToyStore, queues: readonly string[], options: ConsumeOptions) {
    this.#store = store
    this.#queues = [...queues]
    this.#credit = options.credit
  }

  async fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    const stop = AbortSignal.any([options.signal, this.#closed.signal])
    const endMs = performance.now() + options.waitMs
    for (;;) {
      const batch = this.#claim(Math.min(max, this.#credit - this.#claims.size))
      const leftMs = endMs - performance.now()
      if (batch.length > 0 || leftMs <= 0 || stop.aborted) return batch
      await this.#store.nextChange(leftMs, stop)
    }
  }

  async ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const lost = deliveries.filter((delivery) => !this.#claims.delete(delivery.tag))
    this.#store.changed() // there is credit again
    return lost
  }

  async handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    const lost = items.filter((item) => !this.#giveBack(item.delivery.tag, item))
    this.#store.changed()
    return lost.map((item) => item.delivery)
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    this.#store.changed()
  }

  async close(): Promise<void> {
    this.#closed.abort()
    // Backwards, because each goes to the front of its queue.
    for (const tag of [...this.#claims.keys()].reverse()) this.#giveBack(tag, { unspent: true })
    this.#store.changed()
  }

  /** Claim from one queue after the other; the queue that was served goes to the end of the line. */
  #claim(room: number): Delivery[] {
    const batch: Delivery[] = []
    for (const queue of [...this.#queues]) {
      const taken = this.#store.queues.get(queue)?.splice(0, Math.max(0, room - batch.length)) ?? []
      batch.push(...taken.map((entry) => this.#deliver(entry)))
      if (taken.length > 0) this.#queues.push(...this.#queues.splice(this.#queues.indexOf(queue), 1))
    }
    return batch
  }

  #deliver(entry: Entry): Delivery {
    this.#lastTag += 1
    const tag = String(this.#lastTag)
    this.#claims.set(tag, entry)
    const redelivered = entry.handedOut
    entry.handedOut = true
    const { message, route } = entry.outgoing
    const deliveryCount = entry.spent + 1
    return { message, route, queue: entry.queue, deliveryCount, redelivered, due: false, tag }
  }

  #giveBack(tag: string, how: Pick<HandBack, 'unspent' | 'headers'>): boolean {
    const entry = this.#claims.get(tag)
    if (entry === undefined) return false
    this.#claims.delete(tag)
    const { message } = entry.outgoing
    const headers = { ...message.headers, ...how.headers }
    const spent = how.unspent ? entry.spent : entry.spent + 1
    const outgoing = { ...entry.outgoing, message: { ...message, headers } }
    this.#store.queues.get(entry.queue)?.unshift({ ...entry, outgoing, spent })
    return true
  }
}
// #endregion consumer

// #region broker
const CAPABILITIES: BrokerCapabilities = {
  maxBatch: 100,
  maxDelayMs: 0, // it cannot delay
  priorityLevels: 1, // it ignores priorities
  claims: 'connection', // no claim runs out
  depth: 'exact',
  exchanges: [], // only queues can be addressed
  durable: false, // messages go with the process
}

class ToyBroker implements Broker {
  readonly name = 'toy'
  readonly capabilities: BrokerCapabilities = CAPABILITIES
  readonly #store: ToyStore

  constructor(store: ToyStore) {
    this.#store = store
  }

  async connect(): Promise<void> {}

  async declare(queue: QueueSpec): Promise<void> {
    if (!this.#store.queues.has(queue.name)) this.#store.queues.set(queue.name, [])
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const unroutable: number[] = []
    for (const [index, outgoing] of batch.entries()) {
      const queue = outgoing.route.routingKey
      const entries = this.#store.queues.get(queue)
      if (entries === undefined) unroutable.push(index)
      else entries.push({ queue, outgoing, spent: 0, handedOut: false })
    }
    this.#store.changed()
    if (unroutable.length > 0) throw new PublishError('declare the queue first', unroutable)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    return new ToyConsumer(this.#store, queues, options)
  }

  async depth(queue: string): Promise<number> {
    return this.#store.queues.get(queue)?.length ?? 0
  }

  async purge(queue: string): Promise<number> {
    return this.#store.queues.get(queue)?.splice(0).length ?? 0
  }

  async delete(queue: string): Promise<void> {
    this.#store.queues.delete(queue)
  }

  async close(): Promise<void> {}
}

/** `toy://name` */
export const createBroker: BrokerFactory = (url) => {
  if (url.path !== '') throw new UnsupportedError('toy:// has stores only, no paths in them')
  const store = stores.get(url.host) ?? new ToyStore()
  stores.set(url.host, store)
  return new ToyBroker(store)
}
// #endregion broker
