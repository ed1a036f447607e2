import { never } from '../conformance/time.js'
import { toMessage } from '../conformance/broker/stage.js'
import type { Consumer, Delivery, Outgoing } from '../../src/broker/contract.js'
import type { Message, MessageProperties } from '../../src/message/message.js'

const EMPTY: Message = {
  body: new Uint8Array(),
  contentType: '',
  contentEncoding: '',
  headers: {},
  properties: {},
}

/** A text as a message to a queue. */
export function outgoing(
  queue: string,
  text: string,
  rest: Partial<Outgoing> & { readonly properties?: MessageProperties } = {},
): Outgoing {
  const { properties = {}, ...others } = rest
  return { route: { exchange: '', routingKey: queue }, message: toMessage(text, { properties }), ...others }
}

/** A message as a driver hands it out at its first claim; an empty one where no other is given. */
export function deliveryOf(
  tag: string,
  { queue = 'q', message = EMPTY, ...rest }: Partial<Omit<Delivery, 'tag'>> = {},
): Delivery {
  const route = { exchange: '', routingKey: queue }
  return { message, queue, route, deliveryCount: 1, redelivered: false, due: false, tag, ...rest }
}

/** Fetch until `count` are there, or nothing more comes within `waitMs`. */
export async function take(consumer: Consumer, count: number, waitMs = 5_000): Promise<Delivery[]> {
  const taken: Delivery[] = []
  while (taken.length < count) {
    const more = await consumer.fetch(count - taken.length, { waitMs, signal: never })
    if (more.length === 0) break
    taken.push(...more)
  }
  return taken
}
