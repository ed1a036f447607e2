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
  QueueSpec,
} from '../../src/broker/contract.js'
import { BrokerConnectionError, PublishError } from '../../src/errors/errors.js'
import { SqlConsumer } from './consumer.js'
import { asBroker } from './failure.js'
import { SqlFanout } from './fanout.js'
import { insertOutgoing } from './publish.js'
import { writerFor } from './result-writer.js'
import { openStore } from './store.js'
import type { SqlStore } from './store.js'
import type { SqlTarget } from './target.js'
import { declareQueue, deleteQueue } from './topology.js'

/** How the broker behaves, beside its target. */
export interface SqlBrokerOptions {
  /** Make and extend the tables at `connect`. */
  readonly autoMigrate: boolean
}

/** A queue in tables of Lovage's own. */
export class SqlBroker implements Broker {
  readonly name = 'sqlite'
  readonly capabilities: BrokerCapabilities = {
    maxBatch: 1000,
    maxDelayMs: Number.MAX_SAFE_INTEGER,
    priorityLevels: 10,
    depth: 'exact',
    exchanges: ['direct', 'topic', 'fanout', 'headers'],
    durable: true,
  }
  readonly leases: Leases = {
    renews: 'holder',
    renew: async (holder, _tags, leaseMs) => this.#renew(Number(holder), leaseMs),
  }
  readonly fanout: SqlFanout = new SqlFanout(() => this.#connected())
  readonly #target: SqlTarget
  readonly #options: SqlBrokerOptions
  readonly #consumers = new Set<Consumer>()
  #store: SqlStore | undefined

  constructor(target: SqlTarget, options: SqlBrokerOptions) {
    this.#target = target
    this.#options = options
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#store !== undefined) return
    await asBroker(async () => {
      const store = await openStore(this.#target)
      try {
        await store.ensure('broker', this.#options.autoMigrate)
      } catch (error) {
        await store.release()
        throw error
      }
      this.#store = store
    })
  }

  async declare(queue: QueueSpec): Promise<void> {
    const { database, topology } = this.#connected()
    await asBroker(async () => {
      const known = await database.read(async (session) => {
        await topology.refresh(session)
        return topology.has(queue)
      })
      if (known) return
      await database.transaction(async (session) => {
        await declareQueue(session, queue)
      })
    })
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    if (batch.length === 0) return
    const store = this.#connected()
    const unroutable = await asBroker(async () =>
      store.database.transaction(async (session) => insertOutgoing(session, store, batch)),
    )
    store.wake.signal()
    const route = batch[unroutable[0] ?? -1]?.route
    if (route === undefined) return
    throw new PublishError(
      `no queue is reached by exchange "${route.exchange}" and routing key "${route.routingKey}"`,
      unroutable,
    )
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const store = this.#connected()
    const owner = `${hostname()}:${process.pid}:${threadId}`
    const holder = await asBroker(async () =>
      store.database.transaction(async (session) =>
        store.dialect.openHolder(session, options.leaseMs, owner),
      ),
    )
    const writer = options.results === undefined ? undefined : writerFor(options.results, store)
    const consumer: Consumer = new SqlConsumer({
      store,
      queues,
      options,
      holder,
      owner,
      writer,
      closed: () => this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  async depth(queue: string): Promise<number> {
    const store = this.#connected()
    return asBroker(async () =>
      store.database.read(async (session) => store.dialect.countReady(session, queue)),
    )
  }

  async purge(queue: string): Promise<number> {
    const { database } = this.#connected()
    return asBroker(async () =>
      database.transaction(async (session) =>
        session.change((knex) => knex('lovage_message').where({ queue }).whereNull('holder').delete()),
      ),
    )
  }

  async queues(): Promise<readonly string[]> {
    const { database, topology } = this.#connected()
    return asBroker(async () =>
      database.read(async (session) => {
        await topology.refresh(session)
        return topology.queues
      }),
    )
  }

  async delete(queue: string): Promise<void> {
    const { database } = this.#connected()
    await asBroker(async () =>
      database.transaction(async (session) => {
        await deleteQueue(session, queue)
      }),
    )
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close()
    this.fanout.close()
    const store = this.#store
    this.#store = undefined
    await store?.release()
  }

  async #renew(holder: number, leaseMs: number): Promise<LeaseRenewal> {
    const store = this.#connected()
    const held = await asBroker(async () =>
      store.database.transaction(async (session) => store.dialect.renewHolder(session, holder, leaseMs), {
        durable: false,
      }),
    )
    return { held, lostTags: [] }
  }

  #connected(): SqlStore {
    if (this.#store === undefined) throw new BrokerConnectionError(`${this.name} broker: not connected`)
    return this.#store
  }
}
