import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { matchesBinding } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'
import { readEnvelope, toDelivery, writeEnvelope } from './envelope.js'
import { asBroker, toFailure } from './failure.js'
import type { RedisConnection } from './connection.js'

/** How channels are named. */
export interface FanoutNaming {
  /** Put before the exchange: `/0.`, or nothing. */
  readonly prefix: string
  /** Whether the routing key is part of the channel. */
  readonly hasKeys: boolean
}

/**
 * Broadcast by publish and subscribe, on kombu's channels.
 *
 * @source kombu 5.7, `kombu/transport/redis.py`, `Channel._get_publish_topic`.
 */
export class RedisFanout implements Fanout {
  readonly #link: RedisConnection
  readonly #naming: FanoutNaming

  constructor(link: RedisConnection, naming: FanoutNaming) {
    this.#link = link
    this.#naming = naming
  }

  async broadcast(route: Route, message: Message): Promise<void> {
    const channel = this.#channel(route.exchange, route.routingKey)
    await asBroker(() => this.#link.call('PUBLISH', channel, writeEnvelope(message, route)))
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const { listening, target } = this.#link
    const heard = (_channel: string, payload: Buffer): void => {
      const { message, route } = toDelivery(readEnvelope(payload.toString('utf8')), '', '')
      const isBound = bindings.some(
        (one) => one.exchange === route.exchange && matchesBinding(one, route.routingKey, message.headers),
      )
      if (isBound) listener.message(route, message)
    }
    const patterns = [...new Set(bindings.map((binding) => this.#pattern(binding)))]
    const quits: (() => Promise<void>)[] = []
    await asBroker(async () => {
      try {
        for (const pattern of patterns) quits.push(await listening.psubscribe(pattern, heard))
      } catch (error) {
        await Promise.all(quits.map((quit) => quit()))
        throw toFailure(error, target.label)
      }
    })
    const forget = listening.onLost(() => {
      forget()
      for (const quit of quits) void quit()
      listener.lost(new BrokerConnectionError(`${target.label}: the connection that hears was lost`))
    })
    return {
      close: async () => {
        forget()
        await Promise.all(quits.map((quit) => quit()))
      },
    }
  }

  #channel(exchange: string, routingKey: string): string {
    const { prefix, hasKeys } = this.#naming
    return hasKeys && routingKey !== '' ? `${prefix}${exchange}/${routingKey}` : prefix + exchange
  }

  #pattern({ exchange, routingKey, type }: Binding): string {
    const literal = this.#channel(escaped(exchange), escaped(routingKey))
    if (type === 'direct') return literal
    if (type !== 'topic') return `${this.#naming.prefix}${escaped(exchange)}*`
    const key = routingKey.split('.').map((word) => (word === '#' || word === '*' ? '*' : escaped(word)))
    // `a.#` also stands for `a`.
    return this.#channel(escaped(exchange), key.join('.').replace(/\.\*$/, '*'))
  }
}

function escaped(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
