import { never } from '../conformance/time.js'
import { toMessage } from '../conformance/broker/stage.js'
import type { Consumer, Delivery, Outgoing } from '../../src/broker/contract.js'
import type { MessageProperties } from '../../src/message/message.js'

/** A text as a message to a queue. */
export function outgoing(
  queue: string,
  text: string,
  rest: Partial<Outgoing> & { readonly properties?: MessageProperties } = {},
): Outgoing {
  const { properties = {}, ...others } = rest
  return { route: { exchange: '', routingKey: queue }, message: toMessage(text, { properties }), ...others }
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
