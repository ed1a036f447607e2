import { LeasedConsumer } from '../../src/broker/leased-consumer.js'
import { unroutable } from '../../src/broker/routing.js'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'
import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  ConsumeOptions,
  LeaseRenewal,
  Leases,
  Outgoing,
  PublishOptions,
  QueueSpec,
} from '../../src/broker/contract.js'
import { SqlClaims } from './claims.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { NotBegun } from './failure.js'
import { SqlFanout } from './fanout.js'
import { insertAtOnce, insertOutgoing, notSentError, publishWithin } from './publish.js'
import { SqlSchedules } from './schedules.js'
import type { ResultWriter } from './result-writer.js'
import type { SqlStore } from './store.js'
import { ReconnectingStore } from './reconnecting-store.js'
import { sqlStoreId, driverName } from './settings/database-settings.js'
import type { DatabaseSettings } from './settings/database-settings.js'
import { declareQueue, deleteQueue } from './topology.js'
import { giveBackOthers } from './settle.js'

/** How the broker behaves, beside its settings. */
export interface SqlBrokerOptions {
  /** Make and extend the tables at `connect`. */
  readonly autoMigrate: boolean
}

/** A queue in tables of Lovage's own, or in those of kombu. */
export class SqlBroker implements Broker {
  readonly name: string
  readonly capabilities: BrokerCapabilities
  readonly leases: Leases = {
    renews: 'holder',
    renew: async (holder, _tags, leaseMs) => this.#renew(Number(holder), leaseMs),
    reconcile: async (holder, tags, leaseMs) => this.#reconcile(Number(holder), tags, leaseMs),
  }
  readonly schedules: SqlSchedules = new SqlSchedules((work) => this.#use(work))
  readonly fanout: SqlFanout = new SqlFanout(() => this.#handle.get())
  readonly #handle: ReconnectingStore
  readonly #consumers = new Set<Consumer>()

  constructor(settings: DatabaseSettings, options: SqlBrokerOptions) {
    this.name = driverName(settings)
    this.capabilities = {
      maxBatch: 1000,
      maxDelayMs: Number.MAX_SAFE_INTEGER,
      // kombu's tables have no column for it, and its workers take what is oldest.
      priorityLevels: settings.layout === 'kombu' ? 1 : 10,
      claims: 'leased',
      storeId: sqlStoreId(settings),
      depth: 'exact',
      exchanges: ['direct', 'topic', 'fanout', 'headers'],
      durable: true,
    }
    this.#handle = new ReconnectingStore({ settings, part: 'broker', autoMigrate: options.autoMigrate })
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await asBroker(() => this.#handle.open())
  }

  async declare(queue: QueueSpec): Promise<void> {
    await this.#use(async ({ database, topology }) => {
      const known = await database.read(async (session) => {
        await topology.refresh(session)
        return topology.has(queue)
      })
      if (!known) await database.transaction((session) => declareQueue(session, queue))
    })
  }

  async publish(batch: readonly Outgoing[], { signal }: Partial<PublishOptions> = {}): Promise<void> {
    if (batch.length === 0) return
    const lost = await this.#use(async (store) => {
      try {
        const failed = (await insertAtOnce(store, batch, signal))
          ? []
          : await store.database.transaction((session) => insertOutgoing(session, store, batch), { signal })
        store.wake.signal()
        return failed
      } catch (error) {
        throw error instanceof NotBegun ? notSentError(batch) : error
      }
    })
    if (lost.length > 0) throw unroutable(batch, lost)
  }

  async publishWithin(
    transaction: object,
    batch: readonly Outgoing[],
    queues: readonly QueueSpec[],
  ): Promise<void> {
    const lost = await asBroker(async () =>
      publishWithin(await this.#handle.untouched(), transaction, { batch, queues }),
    )
    if (lost.length > 0) throw unroutable(batch, lost)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const owner = `${hostname()}:${process.pid}:${threadId}`
    return this.#use(async (store) => {
      const { database, dialect } = store
      const holder = await database.transaction((session) =>
        dialect.holders.open(session, options.leaseMs, owner),
      )
      const writer = options.results?.writer as ResultWriter | undefined
      const claims = new SqlClaims({ store, handle: this.#handle, queues, options, holder, writer })
      const closed = (): boolean => this.#consumers.delete(consumer)
      const consumer = new LeasedConsumer(claims, { credit: options.credit, asBroker, closed })
      this.#consumers.add(consumer)
      return consumer
    })
  }

  async depth(queue: string): Promise<number> {
    return this.#use(({ database, dialect }) =>
      database.read((session) => dialect.queue.countReady(session, queue)),
    )
  }

  async purge(queue: string): Promise<number> {
    return this.#use(({ database, dialect }) =>
      database.transaction((session) => dialect.queue.drop(session, queue, 'waiting')),
    )
  }

  serverTime(): Promise<number> {
    return this.#use(({ database, dialect }) => database.read((session) => dialect.now(session)))
  }

  async queues(): Promise<readonly string[]> {
    return this.#use(({ database, dialect, topology }) =>
      database.read(async (session) => {
        await topology.refresh(session)
        const foreign = (await dialect.queue.foreignQueues?.(session)) ?? []
        return [...new Set([...topology.queues, ...foreign])]
      }),
    )
  }

  async delete(queue: string): Promise<void> {
    await this.#use(({ database, dialect }) =>
      database.transaction((session) => deleteQueue(session, dialect, queue)),
    )
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close()
    this.fanout.close()
    await this.#handle.close()
  }

  async #renew(holder: number, leaseMs: number): Promise<LeaseRenewal> {
    const held = await this.#use(({ database, dialect }) =>
      database.transaction((session) => dialect.holders.renew(session, holder, leaseMs), { durable: false }),
    )
    return { held, lostTags: [] }
  }

  async #reconcile(holder: number, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    const [held, freed] = await this.#use(({ database, dialect }) =>
      database.transaction(async (session) => {
        const isHeld = await dialect.holders.renew(session, holder, leaseMs)
        return [isHeld, isHeld ? await giveBackOthers({ session, dialect, holder }, tags) : 0] as const
      }),
    )
    if (freed > 0) this.#handle.current?.wake.signal()
    return { held, lostTags: [] }
  }

  async #use<Result>(work: (store: SqlStore) => Promise<Result>): Promise<Result> {
    return asBroker(async () => work(await this.#handle.get()))
  }
}
