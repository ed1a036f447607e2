import { randomUUID } from 'node:crypto'
import { ChangeSignal, LeasedConsumer, PublishError, UnsupportedError } from 'lovage/driver'
import type {
  Broker,
  BrokerCapabilities,
  BrokerFactory,
  ClaimAttempt,
  ConsumeOptions,
  Consumer,
  Delivery,
  HandBack,
  LeasedClaims,
  Leases,
  Outgoing,
  QueueSpec,
  Settlement,
} from 'lovage/driver'

// #region store
/** A message in a queue; it stays there while it is claimed. */
interface Entry {
  readonly route: Outgoing['route']
  message: Outgoing['message']
  /** It was held until its due time. */
  due: boolean
  /** Claims that counted. */
  spent: number
  handedOut: boolean
  /** Of the last claim. */
  tag: string
  /** Claimed or delayed until then, in epoch milliseconds. */
  hiddenUntilMs: number
}

/** What would be a server: queues, oldest message first. */
class ToyStore {
  readonly queues = new Map<string, Entry[]>()
  readonly changes = new ChangeSignal()

  /** The message of a claim that holds. */
  held(tag: string): Entry | undefined {
    const entries = [...this.queues.values()].flat()
    return entries.find((entry) => entry.tag === tag && entry.hiddenUntilMs > Date.now())
  }

  remove(queue: string, entry: Entry): void {
    const left = this.queues.get(queue)?.filter((other) => other !== entry)
    if (left !== undefined) this.queues.set(queue, left)
  }

  /** Whether the claim still held. */
  renew(tag: string, leaseMs: number): boolean {
    const entry = this.held(tag)
    if (entry !== undefined) entry.hiddenUntilMs = Date.now() + leaseMs
    return entry !== undefined
  }
}

const stores = new Map<string, ToyStore>()
// #endregion store

// #region claims
class ToyClaims implements LeasedClaims {
  readonly holder = randomUUID()
  readonly unsettled = new Map<string, undefined>()
  readonly changes: ChangeSignal
  readonly isAtomic = false
  readonly #store: ToyStore
  readonly #queues: string[]
  readonly #leaseMs: number
  #lastTag = 0

  constructor(store: ToyStore, queues: readonly string[], options: ConsumeOptions) {
    this.#store = store
    this.#queues = [...queues]
    this.#leaseMs = options.leaseMs
    this.changes = store.changes
  }

  /** From one queue after the other; the queue that was served goes to the end of the line. */
  claim(max: number): ClaimAttempt {
    const deliveries: Delivery[] = []
    let nextMs = Number.POSITIVE_INFINITY
    for (const queue of [...this.#queues]) {
      const entries = this.#store.queues.get(queue) ?? []
      const ready = entries.filter((entry) => entry.hiddenUntilMs <= Date.now())
      const taken = ready.slice(0, max - deliveries.length)
      deliveries.push(...taken.map((entry) => this.#deliver(queue, entry)))
      if (taken.length > 0) this.#queues.push(...this.#queues.splice(this.#queues.indexOf(queue), 1))
      for (const { hiddenUntilMs } of entries) {
        if (hiddenUntilMs > Date.now()) nextMs = Math.min(nextMs, hiddenUntilMs - Date.now())
      }
    }
    return { deliveries, nextMs }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const lost: Delivery[] = []
    for (const { delivery, handBack } of settlements) {
      const entry = this.#store.held(delivery.tag)
      if (entry === undefined) lost.push(delivery)
      else if (handBack === undefined) this.#store.remove(delivery.queue, entry)
      else giveBack(entry, handBack)
    }
    this.#store.changes.signal()
    return lost
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return deliveries.filter(({ tag }) => this.#store.held(tag) !== undefined)
  }

  async release(): Promise<void> {
    for (const tag of this.unsettled.keys()) {
      const entry = this.#store.held(tag)
      if (entry !== undefined) giveBack(entry, { delayMs: 0, unspent: true })
    }
    this.#store.changes.signal()
  }

  #deliver(queue: string, entry: Entry): Delivery {
    this.#lastTag += 1
    const redelivered = entry.handedOut
    entry.tag = `${this.holder}.${String(this.#lastTag)}`
    entry.hiddenUntilMs = Date.now() + this.#leaseMs
    entry.handedOut = true
    entry.spent += 1
    this.unsettled.set(entry.tag, undefined)
    const { message, route, spent: deliveryCount, due, tag } = entry
    return { message, route, queue, deliveryCount, redelivered, due, tag }
  }
}

function giveBack(entry: Entry, how: Omit<HandBack, 'delivery'>): void {
  const { message } = entry
  entry.message = { ...message, headers: { ...message.headers, ...how.headers } }
  if (how.unspent) entry.spent -= 1
  if (how.notBeforeMs !== undefined) entry.due = true
  entry.tag = ''
  entry.hiddenUntilMs = how.notBeforeMs ?? Date.now() + how.delayMs
}
// #endregion claims

// #region broker
const CAPABILITIES: BrokerCapabilities = {
  maxBatch: 100,
  maxDelayMs: Number.POSITIVE_INFINITY,
  priorityLevels: 1, // it ignores priorities
  claims: 'leased',
  depth: 'exact',
  exchanges: [], // only queues can be addressed
  durable: false, // messages go with the process
}

class ToyBroker implements Broker {
  readonly name = 'toy'
  readonly capabilities: BrokerCapabilities = CAPABILITIES
  readonly leases: Leases = {
    renews: 'tags',
    renew: async (_holder, tags, leaseMs) => {
      const lostTags = tags.filter((tag) => !this.#store.renew(tag, leaseMs))
      return { held: tags.length === 0 || lostTags.length < tags.length, lostTags }
    },
  }
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
    for (const [index, { route, message, notBeforeMs, delayMs }] of batch.entries()) {
      const hiddenUntilMs = notBeforeMs ?? Date.now() + (delayMs ?? 0)
      const due = notBeforeMs !== undefined || delayMs !== undefined
      const entries = this.#store.queues.get(route.routingKey)
      if (entries === undefined) unroutable.push(index)
      else entries.push({ route, message, due, spent: 0, handedOut: false, tag: '', hiddenUntilMs })
    }
    this.#store.changes.signal()
    if (unroutable.length > 0) throw new PublishError('declare the queue first', unroutable)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    return new LeasedConsumer(new ToyClaims(this.#store, queues, options), options)
  }

  async depth(queue: string): Promise<number> {
    const entries = this.#store.queues.get(queue) ?? []
    return entries.filter(({ hiddenUntilMs }) => hiddenUntilMs <= Date.now()).length
  }

  async purge(queue: string): Promise<number> {
    const entries = this.#store.queues.get(queue) ?? []
    const claimed = entries.filter(({ tag, hiddenUntilMs }) => tag !== '' && hiddenUntilMs > Date.now())
    this.#store.queues.set(queue, claimed)
    return entries.length - claimed.length
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
