import type { Binding, Fanout, FanoutListener, Route, Subscription } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { matchesBinding } from '../../src/broker/routing.js'
import type { Message } from '../../src/message/message.js'
import { channelOf, channelPattern, type FanoutNaming } from './channels.js'
import { readEnvelope, toDelivery, writeEnvelope } from './envelope.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { toFailure } from './failure.js'
import type { RedisConnection } from './connection.js'

/** Broadcast by publish and subscribe, on kombu's channels. */
export class RedisFanout implements Fanout {
  readonly #connection: RedisConnection
  readonly #naming: FanoutNaming

  constructor(connection: RedisConnection, naming: FanoutNaming) {
    this.#connection = connection
    this.#naming = naming
  }

  async broadcast(route: Route, message: Message): Promise<void> {
    const channel = channelOf(this.#naming, route)
    await asBroker(() => this.#connection.call('PUBLISH', channel, writeEnvelope(message, route)))
  }

  async subscribe(bindings: readonly Binding[], listener: FanoutListener): Promise<Subscription> {
    const { listening, target } = this.#connection
    const heard = (_channel: string, payload: Buffer): void => {
      const { message, route } = toDelivery(readEnvelope(payload.toString('utf8')), '', '')
      const isBound = bindings.some(
        (one) => one.exchange === route.exchange && matchesBinding(one, route.routingKey, message.headers),
      )
      if (isBound) listener.message(route, message)
    }
    const patterns = [...new Set(bindings.map((binding) => channelPattern(this.#naming, binding)))]
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
}
