import { isDeepStrictEqual } from 'node:util'
import type { Options } from 'amqplib'
import type { Binding, ExchangeOptions, QueueSpec, Route } from '../../src/broker/contract.js'
import { matchBindings } from '../../src/broker/routing.js'
import type { BoundQueue } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'
import { DELIVERY_EXCHANGE } from './delay-names.js'
import { replyCode } from './failure.js'
import type { Delays } from './delays.js'
import { toTable } from './table.js'
import { declareOrFind } from './topology-channel.js'
import type { TopologyChannel } from './topology-channel.js'

/** Declares queues and exchanges, and looks them up. */
export class Topology {
  readonly #channel: Pick<TopologyChannel, 'run'>
  readonly #delays: Delays
  /** Exchanges known to exist: publishing to one that does not closes the channel. */
  readonly #exchanges = new Set<string>([''])
  /** Bindings that were declared here, by exchange. */
  readonly #bound = new Map<string, BoundQueue[]>()

  constructor(channel: Pick<TopologyChannel, 'run'>, delays: Delays) {
    this.#channel = channel
    this.#delays = delays
  }

  /** Declare a queue with its exchanges and bindings, as Celery does. */
  async declare(queue: QueueSpec): Promise<void> {
    if (queue.noDeclare === true) return
    const bindings = queue.bindings.filter((binding) => binding.exchange !== '')
    this.#forgetBindings(queue.name)
    await declareOrFind<unknown>(
      this.#channel,
      (channel) => channel.assertQueue(queue.name, optionsOf(queue)),
      (channel) => channel.checkQueue(queue.name),
    )
    for (const binding of bindings) {
      await this.declareExchange(binding.exchange, binding.type, binding.exchangeOptions)
      await this.bind(queue.name, binding)
    }
    if (isQuorum(queue)) await this.#receiveDelayed(queue.name, bindings)
    if (queue.lifetime === 'durable') await this.#rebindDelayed(queue.name)
  }

  /** A queue that was deleted has lost the binding by which delayed messages reach it, and their senders do not know. */
  async #rebindDelayed(queue: string): Promise<void> {
    this.#delays.forget(queue)
    if (await this.hasExchange(DELIVERY_EXCHANGE)) await this.#delays.toQueue(queue)
  }

  /** Declare an exchange; one that exists is left as it is when only its durability differs. */
  async declareExchange(exchange: string, type: string, options: ExchangeOptions = {}): Promise<void> {
    const { durable = true, autoDelete = false, arguments: args = {} } = options
    const declared = (isDurable: boolean): Promise<unknown> => {
      const asserted = { durable: isDurable, autoDelete, arguments: toTable(args) }
      return declareOrFind<unknown>(
        this.#channel,
        (channel) => channel.assertExchange(exchange, type, asserted),
        (channel) => channel.checkExchange(exchange),
      )
    }
    try {
      await declared(durable)
    } catch (error) {
      if (replyCode(error) !== 406) throw error
      await declared(!durable)
    }
    this.#exchanges.add(exchange)
  }

  /** Bind a queue. */
  async bind(queue: string, binding: Binding): Promise<void> {
    const { exchange, routingKey, arguments: args = {} } = binding
    await this.#channel.run((channel) => channel.bindQueue(queue, exchange, routingKey, toTable(args)))
    if (this.#isBound(queue, binding)) return
    this.#bound.set(exchange, [...(this.#bound.get(exchange) ?? []), { queue, binding }])
  }

  #isBound(queue: string, binding: Binding): boolean {
    const wanted = { queue, binding }
    return (this.#bound.get(binding.exchange) ?? []).some((bound) => isDeepStrictEqual(bound, wanted))
  }

  /** A queue that was deleted has lost those by which delayed messages reach it: they are made again when needed. */
  #forgetBindings(queue: string): void {
    for (const [exchange, bound] of this.#bound) {
      const kept = bound.filter((one) => one.queue !== queue || !isAfterDelay(one.binding))
      this.#bound.set(exchange, kept)
    }
  }

  /**
   * The queues that a route through a direct exchange reaches, as far as they were declared here; `undefined` for other
   * exchanges, which do without: a direct one does not know the key with which a delayed message comes.
   */
  queuesBehind(route: Route, headers: Message['headers']): readonly string[] | undefined {
    const bound = this.#bound.get(route.exchange) ?? []
    if (!bound.some(({ binding }) => binding.type === 'direct')) return undefined
    return matchBindings(bound, route, headers)
  }

  /** Let delayed messages through a topic exchange reach the queues that were bound to it here. */
  async receiveDelayed(exchange: string): Promise<void> {
    for (const { queue, binding } of this.#bound.get(exchange) ?? []) {
      if (binding.type !== 'topic' || isAfterDelay(binding)) continue
      const wanted = afterDelay(binding)
      if (!this.#isBound(queue, wanted)) await this.bind(queue, wanted)
    }
  }

  /** Whether an exchange exists. One that does is not asked for again. */
  async hasExchange(exchange: string): Promise<boolean> {
    if (this.#exchanges.has(exchange)) return true
    const isThere = await this.#isThere(() => this.#channel.run((channel) => channel.checkExchange(exchange)))
    if (isThere) this.#exchanges.add(exchange)
    return isThere
  }

  /** An exchange turned out not to exist. */
  forgetExchange(exchange: string): void {
    this.#exchanges.delete(exchange)
  }

  /** Messages that are ready; 0 where there is no queue. */
  async depth(queue: string): Promise<number> {
    const found = await this.#orMissing(() => this.#channel.run((channel) => channel.checkQueue(queue)))
    return found?.messageCount ?? 0
  }

  /** Drop what is ready; resolves with the number dropped. */
  async purge(queue: string): Promise<number> {
    const found = await this.#orMissing(() => this.#channel.run((channel) => channel.purgeQueue(queue)))
    return found?.messageCount ?? 0
  }

  /** Delete a queue, whether it exists or not. */
  async delete(queue: string): Promise<void> {
    this.#delays.forget(queue)
    await this.#channel.run((channel) => channel.deleteQueue(queue))
  }

  /**
   * Let messages that Celery delays reach a quorum queue behind an exchange that is not direct.
   *
   * @source Celery 5.7, `celery/worker/consumer/delayed_delivery.py`; kombu, `bind_queue_to_native_delayed_delivery_exchange`.
   */
  async #receiveDelayed(queue: string, bindings: readonly Binding[]): Promise<void> {
    for (const binding of bindings.filter(({ type }) => type !== 'direct')) {
      await this.#delays.toExchange(binding.exchange, binding.routingKey)
      await this.bind(queue, afterDelay(binding))
    }
  }

  async #isThere(look: () => Promise<unknown>): Promise<boolean> {
    return (await this.#orMissing(look)) !== undefined
  }

  async #orMissing<Found>(look: () => Promise<Found>): Promise<Found | undefined> {
    try {
      return await look()
    } catch (error) {
      if (replyCode(error) === 404) return undefined
      throw error
    }
  }
}

/** A delayed message comes with its delay before its key. */
function afterDelay(binding: Binding): Binding {
  return { ...binding, routingKey: `#.${binding.routingKey}` }
}

function isAfterDelay({ routingKey }: Binding): boolean {
  return routingKey.startsWith('#.')
}

/** Whether a queue counts its deliveries itself, and knows no per-channel prefetch. */
function isQuorum(queue: QueueSpec): boolean {
  return queue.arguments?.['x-queue-type'] === 'quorum'
}

/** RabbitMQ 4.3 takes no queue that is neither durable nor exclusive; one that expires is not missed after a restart. */
function optionsOf(queue: QueueSpec): Options.AssertQueue {
  const { exclusive = false } = queue
  return {
    durable: queue.lifetime === 'durable' || queue.expiresMs !== undefined,
    exclusive,
    autoDelete: queue.autoDelete ?? exclusive,
    arguments: toTable({
      ...(queue.expiresMs !== undefined && { 'x-expires': queue.expiresMs }),
      ...queue.arguments,
    }),
  }
}
