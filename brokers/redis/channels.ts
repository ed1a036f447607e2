import type { Binding, Route } from '../../src/broker/contract.js'

/** How channels are named. */
export interface FanoutNaming {
  /** Put before the exchange: `/0.`, or nothing. */
  readonly prefix: string
  /** Whether the routing key is part of the channel. */
  readonly hasKeys: boolean
}

/**
 * The channel that a message is published to.
 *
 * @source kombu 5.7, `kombu/transport/redis.py`, `Channel._get_publish_topic`.
 */
export function channelOf({ prefix, hasKeys }: FanoutNaming, { exchange, routingKey }: Route): string {
  return hasKeys && routingKey !== '' ? `${prefix}${exchange}/${routingKey}` : prefix + exchange
}

/** The glob pattern of the channels that a binding hears; it may name a few more. */
export function channelPattern(naming: FanoutNaming, { exchange, routingKey, type }: Binding): string {
  const name = escaped(exchange)
  if (type === 'direct') return channelOf(naming, { exchange: name, routingKey: escaped(routingKey) })
  if (type !== 'topic') return `${naming.prefix}${name}*`
  const key = routingKey.split('.').map((word) => (word === '#' || word === '*' ? '*' : escaped(word)))
  // `a.#` also stands for `a`.
  return channelOf(naming, { exchange: name, routingKey: key.join('.').replace(/\.\*$/, '*') })
}

function escaped(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
