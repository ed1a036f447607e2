import { randomUUID } from 'node:crypto'
import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  ConsumeOptions,
  LeaseRenewal,
  Leases,
  Outgoing,
  QueueSpec,
} from '../../src/broker/contract.js'
import { LeasedConsumer } from '../../src/broker/leased-consumer.js'
import { Maintenance } from './maintenance.js'
import { MongoClaims } from './claims.js'
import { asBroker } from './failure.js'
import { MongoFanout } from './fanout.js'
import { mongoStoreId, notConnected } from './connection.js'
import { delayedName } from './names.js'
import { publish } from './publisher.js'
import type { ResultWriter } from './result-writer.js'
import { MongoSchedules } from './schedules.js'
import type { MongoSettings } from './settings.js'
import { openStore } from './store.js'
import type { MongoStore } from './store.js'

interface Connected {
  readonly store: MongoStore
  readonly maintenance: Maintenance
}

/** Queues in MongoDB, in the layout of Celery's transport. */
export class MongoBroker implements Broker {
  readonly name = 'mongodb'
  readonly capabilities: BrokerCapabilities
  readonly leases: Leases = {
    renews: 'holder',
    renew: async (holder, _tags, leaseMs) => {
      const { holders } = this.#open().store
      return { held: await asBroker(() => holders.renew(holder, leaseMs)), lostTags: [] }
    },
    reconcile: (holder, tags, leaseMs) => this.#reconcile(holder, tags, leaseMs),
  }
  readonly schedules: MongoSchedules = new MongoSchedules(() => this.#open().store)
  readonly fanout: MongoFanout = new MongoFanout(() => this.#open().store)
  readonly #settings: MongoSettings
  readonly #consumers = new Set<Consumer>()
  #connected: Connected | undefined

  constructor(settings: MongoSettings) {
    this.#settings = settings
    this.capabilities = {
      maxBatch: 1_000,
      maxDelayMs: Number.MAX_SAFE_INTEGER,
      priorityLevels: 10,
      claims: 'leased',
      storeId: mongoStoreId(settings.target),
      depth: 'exact',
      exchanges: ['direct', 'topic', 'fanout', 'headers'],
      durable: true,
    }
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return
    const store = await asBroker(() => openStore(this.#settings, signal))
    this.#connected = { store, maintenance: new Maintenance(store) }
  }

  async declare(queue: QueueSpec): Promise<void> {
    const { topology } = this.#open().store
    await asBroker(() => topology.declare(queue))
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const { store } = this.#open()
    await asBroker(() => publish(store, batch))
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const { store, maintenance } = this.#open()
    const holder = randomUUID()
    await asBroker(() => store.holders.register(holder, options.leaseMs))
    const own = options.results?.writer as ResultWriter | undefined
    const writer = store.features.transactions ? own : undefined
    const claims = new MongoClaims({ store, maintenance, queues, options, holder, writer })
    const consumer = new LeasedConsumer(claims, {
      credit: options.credit,
      asBroker,
      closeMs: this.#settings.target.answerMs,
      closed: () => this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  depth(queue: string): Promise<number> {
    const { messages } = this.#open().store.collections
    return asBroker(() => messages.countDocuments({ queue }))
  }

  async purge(queue: string): Promise<number> {
    const { messages } = this.#open().store.collections
    const { deletedCount } = await asBroker(() =>
      messages.deleteMany({ queue: { $in: [queue, delayedName(queue)] } }),
    )
    return deletedCount
  }

  serverTime(): Promise<number> {
    const { clock } = this.#open().store
    return asBroker(() => clock.now())
  }

  queues(): Promise<readonly string[]> {
    const { topology } = this.#open().store
    return asBroker(() => topology.names())
  }

  async delete(queue: string): Promise<void> {
    const { topology } = this.#open().store
    await asBroker(() => topology.delete(queue))
  }

  async close(): Promise<void> {
    for (const consumer of [...this.#consumers]) await consumer.close()
    this.fanout.close()
    const connected = this.#connected
    this.#connected = undefined
    if (connected === undefined) return
    await connected.store.changes.close()
    await connected.store.lease.release()
  }

  async #reconcile(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    const { holders, changes } = this.#open().store
    return asBroker(async () => {
      const held = await holders.renew(holder, leaseMs)
      if (held && (await holders.releaseUnknown(holder, new Set(tags))) > 0) changes.signal()
      return { held, lostTags: [] }
    })
  }

  #open(): Connected {
    if (this.#connected === undefined) throw notConnected()
    return this.#connected
  }
}
