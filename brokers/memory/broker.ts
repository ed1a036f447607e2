import type {
  Broker,
  BrokerCapabilities,
  ConsumeOptions,
  Consumer,
  Fanout,
  Leases,
  Outgoing,
  QueueSpec,
  ScheduleStore,
} from '../../src/broker/contract.js'
import { LeasedConsumer } from '../../src/broker/leased-consumer.js'
import { unroutable } from '../../src/broker/routing.js'
import { QueueNotFoundError } from '../../src/errors/errors.js'
import { MemoryClaims } from './claims.js'
import { MemoryLeases } from './leases.js'
import type { MemoryStore } from './store.js'

const CAPABILITIES: Omit<BrokerCapabilities, 'claims' | 'storeId'> = {
  maxBatch: Number.POSITIVE_INFINITY,
  maxDelayMs: Number.POSITIVE_INFINITY,
  priorityLevels: 10,
  depth: 'exact',
  exchanges: ['direct', 'topic', 'fanout', 'headers'],
  durable: false,
}

/** A broker inside this process: nothing outlives it, and nobody else sees it. */
export class MemoryBroker implements Broker {
  readonly name = 'memory'
  readonly capabilities: BrokerCapabilities
  readonly fanout: Fanout
  readonly leases?: Leases
  readonly schedules: ScheduleStore
  readonly #store: MemoryStore
  readonly #consumers = new Set<Consumer>()
  readonly #transient = new Set<string>()

  /** @param options - With `leases`, claims run out as they do in stores that other processes share. */
  constructor(store: MemoryStore, options: { readonly leases: boolean }) {
    this.#store = store
    this.fanout = store.fanout
    this.schedules = store.schedules.for((batch) => this.publish(batch))
    this.capabilities = {
      ...CAPABILITIES,
      claims: options.leases ? 'leased' : 'connection',
      storeId: store.results.id,
    }
    if (options.leases) this.leases = new MemoryLeases(store)
  }

  async connect(): Promise<void> {}

  async declare(queue: QueueSpec): Promise<void> {
    if (queue.lifetime === 'transient' && this.#store.queue(queue.name) === undefined) {
      this.#transient.add(queue.name)
    }
    this.#store.declare(queue)
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const nowMs = this.#store.clock.now()
    const lost: number[] = []
    for (const [index, outgoing] of batch.entries()) {
      const queues = this.#store.routesOf(outgoing)
      if (queues.length === 0) lost.push(index)
      this.#store.accept(outgoing, queues, nowMs)
    }
    this.#store.changes.signal()
    if (lost.length > 0) throw unroutable(batch, lost)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    for (const queue of queues) {
      if (this.#store.queue(queue) !== undefined) continue
      throw new QueueNotFoundError(queue, `queue "${queue}" does not exist; declare it first`)
    }
    const claims = new MemoryClaims(this.#store, queues, { ...options, leases: this.leases !== undefined })
    const closed = (): boolean => this.#consumers.delete(consumer)
    const { clock } = this.#store
    const consumer = new LeasedConsumer(claims, { credit: options.credit, clock, closed })
    this.#consumers.add(consumer)
    return consumer
  }

  async depth(queue: string): Promise<number> {
    return this.#store.depth(queue)
  }

  async purge(queue: string): Promise<number> {
    return this.#store.queue(queue)?.purge() ?? 0
  }

  async queues(): Promise<readonly string[]> {
    return this.#store.queueNames()
  }

  async delete(queue: string): Promise<void> {
    this.#store.delete(queue)
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close()
    for (const queue of this.#transient) this.#store.delete(queue)
    this.#transient.clear()
  }
}
