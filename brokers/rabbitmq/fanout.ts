import { randomUUID } from 'node:crypto'
import type { Channel, ConsumeMessage } from 'amqplib'
import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import type { Message } from '../../src/message/message.js'
import { toArrival, toEnvelope } from './envelope.js'
import { toFailure } from './failure.js'
import type { RabbitConnection } from './connection.js'
import { toTable } from './table.js'
import type { Topology } from './topology.js'

/** As Celery's event receivers and mailboxes: gone with their listener, and never holding much. */
const QUEUE_ARGUMENTS = { 'x-expires': 60_000, 'x-message-ttl': 300_000 }

/** What a {@link RabbitFanout} works with. */
export interface FanoutParts {
  readonly connection: RabbitConnection
  readonly topology: Topology
}

/** Broadcast through exchanges: each listener has a queue of its own, which is gone when it is. */
export class RabbitFanout implements Fanout {
  readonly #parts: () => Promise<FanoutParts>
  #channel: { readonly connection: RabbitConnection; readonly channel: Promise<Channel> } | undefined

  constructor(parts: () => Promise<FanoutParts>) {
    this.#parts = parts
  }

  async broadcast(route: Route, message: Message): Promise<void> {
    const { connection, topology } = await this.#parts()
    try {
      // Nobody has declared it: nobody listens.
      if (!(await topology.hasExchange(route.exchange))) return
      const channel = await this.#publishChannel(connection)
      const { content, options } = toEnvelope(message)
      channel.publish(route.exchange, route.routingKey, content, { ...options, mandatory: false })
    } catch (error) {
      throw toFailure(error, connection.label)
    }
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const { connection, topology } = await this.#parts()
    try {
      for (const { exchange, type } of bindings) {
        await topology.declareExchange(exchange, type, { durable: !exchange.endsWith('.pidbox') })
      }
      const channel = await connection.channel()
      let isClosed = false
      channel.on('close', () => {
        if (isClosed) return
        listener.lost(
          connection.isOpen
            ? new BrokerConnectionError(`${connection.label}: the channel was closed`)
            : connection.failure,
        )
      })
      await listen(channel, bindings, listener)
      return {
        close: async () => {
          if (isClosed) return
          isClosed = true
          await channel.close().catch(() => undefined)
        },
      }
    } catch (error) {
      throw toFailure(error, connection.label)
    }
  }

  #publishChannel(connection: RabbitConnection): Promise<Channel> {
    if (this.#channel?.connection !== connection) {
      const opening = connection.channel()
      this.#channel = { connection, channel: opening }
      const forget = (): void => {
        if (this.#channel?.channel === opening) this.#channel = undefined
      }
      opening.then((channel) => channel.on('close', forget), forget)
    }
    return this.#channel.channel
  }
}

async function listen(
  channel: Channel,
  bindings: readonly Binding[],
  listener: FanoutListener,
): Promise<void> {
  const { queue } = await channel.assertQueue(`lovage.${randomUUID()}`, {
    durable: false,
    exclusive: true,
    autoDelete: true,
    arguments: toTable(QUEUE_ARGUMENTS),
  })
  for (const { exchange, routingKey, arguments: args = {} } of bindings) {
    await channel.bindQueue(queue, exchange, routingKey, toTable(args))
  }
  const heard = (delivery: ConsumeMessage | null): void => {
    if (delivery === null) return
    const { message, route } = toArrival(delivery, queue)
    listener.message(route, message)
  }
  await channel.consume(queue, heard, { noAck: true })
}
