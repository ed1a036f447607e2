import type { Broker, Outgoing } from '../../../src/broker/contract.js'
import { createBroker } from '../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

/** A message to a queue, with a header `id`. */
export function textMessage(
  queue: string,
  id: string,
  headers: Readonly<Record<string, unknown>> = {},
): Outgoing {
  return {
    route: { exchange: '', routingKey: queue },
    message: {
      body: new TextEncoder().encode(id),
      contentType: 'text/plain',
      contentEncoding: 'utf-8',
      headers: { id, ...headers },
      properties: {},
    },
  }
}

/** A connected broker on which the queue is declared. */
export async function openBroker(url: string, queue: string): Promise<Broker> {
  const broker = createBroker(parseConnectionUrl(url), {})
  await broker.connect(never)
  await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
  return broker
}
