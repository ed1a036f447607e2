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
import { LinkHolder } from './link-holder.js'
import type { RabbitLink } from './link.js'
import { ConfirmedPublisher } from './publisher.js'
import { Returner } from './returner.js'
import { Sender } from './sender.js'
import type { RabbitSettings } from './settings.js'
import { TopologyChannel } from './topology-channel.js'
import { Topology } from './topology.js'

/** A connection that publishes and declares, and what is known of the server on it. */
interface Publishing {
  readonly link: RabbitLink
  readonly channel: TopologyChannel
  readonly topology: Topology
  readonly publisher: ConfirmedPublisher
  readonly sender: Sender
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
    depth: 'exact',
    exchanges: ['direct', 'topic', 'fanout', 'headers'],
    durable: true,
  }
  readonly fanout: Fanout
  readonly #settings: RabbitSettings
  readonly #publishing: LinkHolder<Publishing>
  readonly #consuming: LinkHolder<RabbitLink>
  readonly #consumers = new Set<Consumer>()

  constructor(settings: RabbitSettings) {
    this.#settings = settings
    this.#publishing = new LinkHolder(settings, (link) => toPublishing(link, settings))
    this.#consuming = new LinkHolder(settings, (link) => link)
    this.fanout = new RabbitFanout(() => this.#publishing.get())
  }

  async connect(signal: AbortSignal): Promise<void> {
    await this.#publishing.get(signal)
  }

  declare(queue: QueueSpec): Promise<void> {
    return this.#onTopology((topology) => topology.declare(queue))
  }

  async publish(batch: readonly Outgoing[]): Promise<void> {
    const { sender } = await this.#publishing.get()
    await sender.publish(batch)
  }

  async consume(queues: readonly string[], options: ConsumeOptions): Promise<Consumer> {
    const link = await this.#consuming.get()
    const consumer: Consumer = new RabbitConsumer({
      link,
      channel: await link.channel(),
      queues,
      options,
      returner: new Returner({
        publish: async (batch) => (await this.#publishing.get()).sender.publish(batch),
      }),
      depth: (queue) => this.depth(queue),
      run: async (work) => (await this.#publishing.get()).channel.run(work),
      consumerTimeoutMs: this.#settings.consumerTimeoutMs,
      closed: () => this.#consumers.delete(consumer),
    })
    this.#consumers.add(consumer)
    return consumer
  }

  depth(queue: string): Promise<number> {
    return this.#onTopology((topology) => topology.depth(queue))
  }

  purge(queue: string): Promise<number> {
    return this.#onTopology((topology) => topology.purge(queue))
  }

  delete(queue: string): Promise<void> {
    return this.#onTopology((topology) => topology.delete(queue))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()))
    await this.#consuming.close()
    await this.#publishing.close(({ publisher }) => publisher.close())
  }

  async #onTopology<Result>(work: (topology: Topology) => Promise<Result>): Promise<Result> {
    const { topology, link } = await this.#publishing.get()
    try {
      return await work(topology)
    } catch (error) {
      throw link.isOpen ? toFailure(error, this.#settings.label) : link.failure
    }
  }
}

function toPublishing(link: RabbitLink, settings: RabbitSettings): Publishing {
  const channel = new TopologyChannel(link)
  const delays = new Delays(channel, settings.delayQueueType)
  const topology = new Topology(channel, delays)
  const publisher = new ConfirmedPublisher(link)
  publisher.onMissing = (exchange) => topology.forgetExchange(exchange)
  const sender = new Sender({ label: link.label, topology, delays, publisher })
  return { link, channel, topology, publisher, sender }
}
