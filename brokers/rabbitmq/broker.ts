import type {
  Broker,
  BrokerCapabilities,
  Consumer,
  ConsumeOptions,
  Fanout,
  Outgoing,
  QueueSpec,
} from '../../src/broker/contract.js'
import { RabbitConsumer } from './consumer.js'
import { Delays } from './delays.js'
import { toFailure } from './failure.js'
import { RabbitFanout } from './fanout.js'
import { LazyConnection } from './lazy-connection.js'
import type { RabbitConnection } from './connection.js'
import { ConfirmedPublisher } from './publisher.js'
import { Returner } from './returner.js'
import { Sender } from './sender.js'
import type { RabbitSettings } from './settings.js'
import { TopologyChannel } from './topology-channel.js'
import { Topology } from './topology.js'

/** A connection that publishes and declares, and what is known of the server on it. */
interface Publishing {
  readonly connection: RabbitConnection
  readonly channel: TopologyChannel
  readonly topology: Topology
  readonly publisher: ConfirmedPublisher
  readonly sender: Sender
}

/** A connection that consumes, and declares the queues that are its own. */
interface Consuming {
  readonly connection: RabbitConnection
  readonly topology: Topology
}

/**
 * Queues in RabbitMQ, with Celery's topology.
 *
 * Two connections: one publishes and declares, and one, opened by the first consumer, consumes; so that a server that takes
 * no messages still takes acknowledgements. A lost one is opened anew by whoever needs it next.
 */
export class RabbitBroker implements Broker {
  readonly name = 'rabbitmq'
  readonly capabilities: BrokerCapabilities = {
    maxBatch: 1_000,
    publishBatch: 25,
    maxDelayMs: Number.MAX_SAFE_INTEGER,
    priorityLevels: 256,
    claims: 'connection',
    depth: 'exact',
    exchanges: ['direct', 'topic', 'fanout', 'headers'],
    durable: true,
    expires: true,
  }
  readonly fanout: Fanout
  readonly #settings: RabbitSettings
  readonly #publishing: LazyConnection<Publishing>
  readonly #consuming: LazyConnection<Consuming>
  readonly #consumers = new Set<Consumer>()
  /** Declared queues that a connection has for itself: they come into being with their consumer. */
  readonly #exclusive = new Map<string, QueueSpec>()
  /** Declared queues that go with their last consumer. */
  readonly #selfDeleting = new Set<string>()

  constructor(settings: RabbitSettings) {
    this.#settings = settings
    this.#publishing = new LazyConnection(settings, (connection) => toPublishing(connection, settings))
    this.#consuming = new LazyConnection(settings, (connection) => toConsuming(connection, settings))
    this.fanout = new RabbitFanout(() => this.#publishing.get())
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#publishing.get(signal)
  }

  async declare(queue: QueueSpec): Promise<void> {
    const { name, exclusive = false, autoDelete = exclusive } = queue
    if (autoDelete) this.#selfDeleting.add(name)
    // Whoever creates it has it: that is for its consumer to do.
    if (exclusive) this.#exclusive.set(name, queue)
    else await this.#onTopology((topology) => topology.declare(queue))
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const { sender } = await this.#publishing.get()
    await sender.publish(batch)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const { connection, topology } = await this.#consuming.get()
    await this.#guarded(connection, async () => {
      for (const name of queues) {
        const own = this.#exclusive.get(name)
        if (own !== undefined) await topology.declare(own)
      }
    })
    const consumer: Consumer = new RabbitConsumer({
      connection,
      channel: await connection.channel(),
      queues,
      options,
      returner: new Returner({
        publish: async (batch) => (await this.#publishing.get()).sender.publish(batch),
      }),
      depth: (queue) => this.depth(queue),
      run: async (work) => (await this.#publishing.get()).channel.run(work),
      consumerTimeoutMs: this.#settings.consumerTimeoutMs,
      keepsConsuming: queues.some((queue) => this.#selfDeleting.has(queue)),
      closed: () => this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  depth(queue: string): Promise<number> {
    return this.#onTopology((topology) => topology.depth(queue), queue)
  }

  purge(queue: string): Promise<number> {
    return this.#onTopology((topology) => topology.purge(queue), queue)
  }

  delete(queue: string): Promise<void> {
    return this.#onTopology((topology) => topology.delete(queue), queue)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
    await this.#consuming.close()
    await this.#publishing.close(({ publisher }) => publisher.close())
  }

  async #onTopology<Result>(work: (topology: Topology) => Promise<Result>, queue?: string): Promise<Result> {
    const isOwn = queue !== undefined && this.#exclusive.has(queue)
    const { topology, connection } = await (isOwn ? this.#consuming : this.#publishing).get()
    return this.#guarded(connection, () => work(topology))
  }

  async #guarded<Result>(connection: RabbitConnection, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      throw connection.isOpen ? toFailure(error, this.#settings.label) : connection.failure
    }
  }
}

function toPublishing(connection: RabbitConnection, settings: RabbitSettings): Publishing {
  const channel = new TopologyChannel(connection)
  const delays = new Delays(channel, settings.delayQueueType)
  const topology = new Topology(channel, delays)
  const publisher = new ConfirmedPublisher(connection)
  publisher.onMissing = (exchange) => {
    topology.forgetExchange(exchange)
    delays.forgetExchange(exchange)
  }
  const sender = new Sender({ label: connection.label, topology, delays, publisher })
  return { connection, channel, topology, publisher, sender }
}

function toConsuming(connection: RabbitConnection, settings: RabbitSettings): Consuming {
  const channel = new TopologyChannel(connection)
  return { connection, topology: new Topology(channel, new Delays(channel, settings.delayQueueType)) }
}
