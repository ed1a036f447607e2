import type { Channel } from 'amqplib'
import { replyCode } from './failure.js'
import { DELIVERY_EXCHANGE, isDelayExchange, leavingPatterns, levelName, TOP_LEVEL } from './delay-names.js'
import type { DelayQueueType } from './settings.js'
import { declareOrFind } from './topology-channel.js'
import type { TopologyChannel } from './topology-channel.js'

/**
 * The queues and exchanges of Celery's native delayed delivery, declared when the first message needs them.
 *
 * A message passes the levels from the top: where its digit is 1 it waits in that level's queue, which dead-letters it to
 * the next level when its time is over; where it is 0 it goes on at once.
 *
 * @source kombu 5.7, `kombu/transport/native_delayed_delivery.py`.
 */
export class Delays {
  readonly #channel: TopologyChannel
  readonly #queueType: DelayQueueType
  readonly #leaving = new Map<string, Promise<void>>()
  #levels: Promise<void> | undefined

  constructor(channel: TopologyChannel, queueType: DelayQueueType) {
    this.#channel = channel
    this.#queueType = queueType
  }

  /** See to it that a message delayed for this queue reaches it. Rejects with a 404 when the queue does not exist. */
  toQueue(queue: string): Promise<void> {
    return this.#once(queue, async (channel) => {
      for (const pattern of leavingPatterns(queue)) await channel.bindQueue(queue, DELIVERY_EXCHANGE, pattern)
    })
  }

  /** The same for an exchange and a key, with Celery's own bindings; the queues behind it have theirs. */
  toExchange(exchange: string, routingKey: string): Promise<void> {
    return this.#once(`${exchange}\n${routingKey}`, (channel) =>
      channel.bindExchange(exchange, DELIVERY_EXCHANGE, `#.${routingKey}`),
    )
  }

  /** Declare all levels, once. */
  levels(): Promise<void> {
    this.#levels ??= this.#declareLevels().catch((error: unknown) => {
      this.#levels = undefined
      throw error
    })
    return this.#levels
  }

  /** What was deleted has to be declared again. */
  forget(queue: string): void {
    this.#leaving.delete(queue)
  }

  /** An exchange turned out not to exist: of the levels, all are declared again. */
  forgetExchange(exchange: string): void {
    if (!isDelayExchange(exchange)) return
    this.#levels = undefined
    this.#leaving.clear()
  }

  async #once(name: string, bind: (channel: Channel) => Promise<unknown>): Promise<void> {
    const known = this.#leaving.get(name)
    if (known !== undefined) return known
    const binding = this.levels()
      .then(() => this.#channel.run(bind))
      .then(() => undefined)
    this.#leaving.set(name, binding)
    try {
      await binding
    } catch (error) {
      this.#leaving.delete(name)
      throw error
    }
  }

  async #declareLevels(): Promise<void> {
    await declareOrFind(this.#channel, declareExchanges, findExchanges)
    const isThere = await this.#areQueuesThere()
    if (!isThere) await this.#channel.run((channel) => this.#declareQueues(channel))
    await this.#channel.run(bindLevels)
  }

  /** Whoever came first chose their type. */
  async #areQueuesThere(): Promise<boolean> {
    try {
      await this.#channel.run((channel) => forEachLevel((level) => channel.checkQueue(levelName(level))))
      return true
    } catch (error) {
      if (replyCode(error) === 404) return false
      throw error
    }
  }

  async #declareQueues(channel: Channel): Promise<void> {
    const isQuorum = this.#queueType === 'quorum'
    await forEachLevel((level) =>
      channel.assertQueue(levelName(level), {
        durable: true,
        arguments: {
          'x-queue-type': this.#queueType,
          'x-overflow': 'reject-publish',
          'x-message-ttl': 2 ** level * 1000,
          'x-dead-letter-exchange': level === 0 ? DELIVERY_EXCHANGE : levelName(level - 1),
          ...(isQuorum && { 'x-dead-letter-strategy': 'at-least-once' }),
        },
      }),
    )
  }
}

async function declareExchanges(channel: Channel): Promise<void> {
  await Promise.all([
    channel.assertExchange(DELIVERY_EXCHANGE, 'topic', { durable: true }),
    forEachLevel((level) => channel.assertExchange(levelName(level), 'topic', { durable: true })),
  ])
}

async function findExchanges(channel: Channel): Promise<void> {
  await Promise.all([
    channel.checkExchange(DELIVERY_EXCHANGE),
    forEachLevel((level) => channel.checkExchange(levelName(level))),
  ])
}

async function bindLevels(channel: Channel): Promise<void> {
  await forEachLevel(async (level) => {
    const name = levelName(level)
    const next = level === 0 ? DELIVERY_EXCHANGE : levelName(level - 1)
    const passed = '*.'.repeat(TOP_LEVEL - level)
    await Promise.all([
      channel.bindQueue(name, name, `${passed}1.#`),
      channel.bindExchange(next, name, `${passed}0.#`),
    ])
  })
}

async function forEachLevel(act: (level: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: TOP_LEVEL + 1 }, (_, index) => act(TOP_LEVEL - index)))
}
