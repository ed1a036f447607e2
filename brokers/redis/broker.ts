import { randomUUID } from 'node:crypto'
import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  ConsumeOptions,
  Fanout,
  LeaseRenewal,
  Leases,
  Outgoing,
  QueueSpec,
  ScheduleStore,
} from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { TAG_PREFIX } from './claimer.js'
import { LeasedConsumer } from '../../src/broker/leased-consumer.js'
import { RedisClaims } from './claims.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { RedisFanout } from './fanout.js'
import { feedFanoutQueues } from './fanout-queues.js'
import { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { acquireConnection } from './shared-connections.js'
import type { ConnectionLease } from './shared-connections.js'
import { RECONCILE, RENEW } from './lua/lease.js'
import type { RedisSettings } from './settings.js'
import { Publisher } from './publisher.js'
import type { ResultWriter } from './result-writer.js'
import { listOf, textsOf } from './reply.js'
import { Restorer } from './restorer.js'
import { RedisSchedules } from './schedules.js'
import { toScript } from './script.js'
import { Topology } from './topology.js'

const renewScript = toScript(RENEW)
const reconcileScript = toScript(RECONCILE)

interface Connected {
  readonly lease: ConnectionLease
  readonly connection: RedisConnection
  readonly topology: Topology
  readonly publisher: Publisher
}

/** Queues in Redis, in the layout of Celery's transport. */
export class RedisBroker implements Broker {
  readonly name = 'redis'
  readonly capabilities: BrokerCapabilities
  readonly leases: Leases = {
    renews: 'holder',
    renew: (holder, _tags, leaseMs) => this.#renew(holder, leaseMs),
    reconcile: (holder, tags, leaseMs) => this.#reconcile(holder, tags, leaseMs),
  }
  readonly fanout: Fanout
  readonly schedules: ScheduleStore
  readonly #settings: RedisSettings
  readonly #keys: Keys
  readonly #consumers = new Set<Consumer>()
  #connected: Connected | undefined

  constructor(settings: RedisSettings) {
    this.#settings = settings
    this.#keys = new Keys(settings.naming)
    this.schedules = new RedisSchedules(this.#keys, () => this.#open())
    this.capabilities = {
      maxBatch: 1_000,
      maxDelayMs: Number.MAX_SAFE_INTEGER,
      priorityLevels: settings.naming.steps.length,
      firstPriority: 'smallest',
      claims: 'leased',
      storeId: settings.target.storeId,
      depth: 'exact',
      exchanges: ['direct', 'topic', 'fanout'],
      durable: true,
    }
    this.fanout = {
      broadcast: (route, message) => this.#fanout().broadcast(route, message),
      subscribe: (bindings, listener) => this.#fanout().subscribe(bindings, listener),
    }
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return
    const lease = acquireConnection(this.#settings.target)
    const { connection } = lease
    try {
      await asBroker(() => connection.ready(signal))
    } catch (error) {
      lease.release()
      throw error
    }
    const topology = new Topology(connection, this.#keys)
    const { delay, fanout } = this.#settings
    const publisher = new Publisher({ connection, keys: this.#keys, topology, delay, fanout })
    this.#connected = { lease, connection, topology, publisher }
  }

  async declare(queue: QueueSpec): Promise<void> {
    const { topology } = this.#open()
    await asBroker(() => topology.declare(queue))
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const { publisher } = this.#open()
    await asBroker(() => publisher.publish(batch))
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const { connection, publisher, topology } = this.#open()
    const { visibilityTimeoutMs, order, fanout: naming } = this.#settings
    const quit = await asBroker(() =>
      feedFanoutQueues({ connection, keys: this.#keys, topology, naming }, queues),
    )
    const holder = TAG_PREFIX + randomUUID()
    const claims = new RedisClaims({
      connection,
      keys: this.#keys,
      publisher,
      queues,
      options,
      holder,
      visibilityTimeoutMs,
      order,
      writer: options.results?.writer as ResultWriter | undefined,
    })
    const closed = (): void => {
      this.#consumers.delete(consumer)
      void quit()
    }
    const consumer = new LeasedConsumer(claims, { credit: options.credit, asBroker, closed })
    this.#consumers.add(consumer)
    // Known from now on, so that a renewal does not find it missing.
    await this.#register(holder, options.leaseMs)
    return consumer
  }

  depth(queue: string): Promise<number> {
    const { topology } = this.#open()
    return asBroker(() => topology.depth(queue))
  }

  purge(queue: string): Promise<number> {
    const { topology } = this.#open()
    return asBroker(() => topology.purge(queue))
  }

  async serverTime(): Promise<number> {
    const { connection } = this.#open()
    const [seconds, micros] = timeOf(await asBroker(() => connection.call('TIME')))
    return seconds * 1000 + micros / 1000
  }

  queues(): Promise<readonly string[]> {
    const { topology } = this.#open()
    return asBroker(() => topology.names())
  }

  async delete(queue: string): Promise<void> {
    const { topology } = this.#open()
    await asBroker(() => topology.delete(queue))
  }

  async close(): Promise<void> {
    for (const consumer of [...this.#consumers]) await consumer.close()
    const connected = this.#connected
    this.#connected = undefined
    connected?.lease.release()
  }

  async #register(holder: string, leaseMs: number): Promise<void> {
    const { connection } = this.#open()
    const endMs = Math.floor(await this.serverTime()) + leaseMs
    await asBroker(() => connection.call('ZADD', this.#keys.holders, endMs, holder))
  }

  async #renew(holder: string, leaseMs: number): Promise<LeaseRenewal> {
    const { connection } = this.#open()
    const { unackedIndex, holders } = this.#keys
    const keys = [unackedIndex, this.#keys.claims(holder), holders]
    const held = await asBroker(() => connection.run(renewScript, keys, [leaseMs, holder]))
    return { held: Number(held) === 1, lostTags: [] }
  }

  async #reconcile(holder: string, tags: readonly string[], leaseMs: number): Promise<LeaseRenewal> {
    const { connection } = this.#open()
    const { unacked, unackedIndex, holders } = this.#keys
    const keys = [unackedIndex, this.#keys.claims(holder), holders, unacked]
    const restorer = new Restorer(connection, this.#keys)
    return asBroker(async () => {
      for (;;) {
        const [held, ...unknown] = listOf(
          await connection.run(reconcileScript, keys, [leaseMs, holder, ...tags]),
        )
        const isDone = unknown.length === 0 || (await restorer.giveBack(holder, textsOf(unknown))) === 0
        if (isDone) return { held: Number(held) === 1, lostTags: [] }
      }
    })
  }

  #fanout(): RedisFanout {
    return new RedisFanout(this.#open().connection, this.#settings.fanout)
  }

  #open(): Connected {
    if (this.#connected === undefined) throw new BrokerConnectionError('redis broker: not connected')
    return this.#connected
  }
}

function timeOf(reply: unknown): readonly [number, number] {
  return Array.isArray(reply) ? [Number(reply[0]), Number(reply[1])] : [0, 0]
}
