import type { Channel, ConsumeMessage } from 'amqplib'

/** What consuming needs of a channel. */
export interface ConsumerChannel extends Pick<Channel, 'prefetch' | 'consume' | 'cancel' | 'ack' | 'close'> {
  on(event: 'error' | 'close', listener: (error: unknown) => void): unknown
}

/** One AMQP consumer on a queue. */
export interface QueueConsumer {
  readonly queue: string
  /** Most deliveries it lets through unsettled. */
  readonly prefetch: number
  /** Deliveries that came through it and are not settled. */
  open: number
  /** AMQP's name of it; empty while it is being opened. */
  name: string
}

/** What happens at the consumers. */
export interface QueueConsumerListener {
  readonly arrived: (consumer: QueueConsumer, message: ConsumeMessage) => void
  /** The server ended a consumer: its queue was deleted. */
  readonly ended: (queue: string) => void
}

/**
 * The AMQP consumers of one channel, one a queue, each with a prefetch of its own.
 *
 * A prefetch for the whole channel is refused by quorum queues and going away in RabbitMQ 4. One of a consumer cannot be
 * changed, so that a queue whose consumer is to let through more, or less, gets another one.
 */
export class QueueConsumers {
  readonly #channel: ConsumerChannel
  readonly #queues: readonly string[]
  readonly #listener: QueueConsumerListener
  #consumers: readonly QueueConsumer[] = []
  #turning: Promise<void> = Promise.resolve()

  constructor(channel: ConsumerChannel, queues: readonly string[], listener: QueueConsumerListener) {
    this.#channel = channel
    this.#queues = queues
    this.#listener = listener
  }

  /** Whether anything can come. */
  get isOpen(): boolean {
    return this.#consumers.length > 0
  }

  /** How many more deliveries the server may send. */
  get free(): number {
    return this.#consumers.reduce((sum, consumer) => sum + Math.max(0, consumer.prefetch - consumer.open), 0)
  }

  /** Let `prefetch` deliveries through for each queue, those of the consumers before included; 0 closes them. */
  turn(prefetch: number, isHeld: (queue: string) => number): Promise<void> {
    const turning = this.#turning.then(() => this.#turn(prefetch, isHeld))
    this.#turning = turning.catch(() => undefined)
    return turning
  }

  async #turn(prefetch: number, heldOf: (queue: string) => number): Promise<void> {
    const old = this.#consumers
    this.#consumers = []
    // Opened before the old ones end: a queue that deletes itself does so with its last consumer.
    if (prefetch > 0) await this.#open(prefetch, heldOf)
    await Promise.all(old.map((consumer) => this.#channel.cancel(consumer.name)))
  }

  async #open(prefetch: number, heldOf: (queue: string) => number): Promise<void> {
    const consumers: QueueConsumer[] = []
    const opening = this.#queues.map(async (queue) => {
      const consumer: QueueConsumer = {
        queue,
        prefetch: Math.max(1, prefetch - heldOf(queue)),
        open: 0,
        name: '',
      }
      consumers.push(consumer)
      // In this order on one channel: the prefetch is that of consumers opened after it.
      const [, { consumerTag }] = await Promise.all([
        this.#channel.prefetch(consumer.prefetch, false),
        this.#channel.consume(queue, (message) => {
          if (message === null) this.#listener.ended(queue)
          else this.#listener.arrived(consumer, message)
        }),
      ])
      consumer.name = consumerTag
    })
    this.#consumers = consumers
    await Promise.all(opening)
  }
}
