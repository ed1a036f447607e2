import { createBroker } from '../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import type { Broker } from '../../src/broker/contract.js'
import { benchMessage } from './sqlite-raw.js'

const BATCH = 100
const never = new AbortController().signal

/** The SQLite driver alone, connected, with its queue declared. */
export async function openDriver(path: string): Promise<Broker> {
  const broker = createBroker(parseConnectionUrl(`sqlite:///${path}`), {})
  await broker.connect(never)
  await broker.declare({ name: 'celery', lifetime: 'durable', bindings: [] })
  return broker
}

/** Publish `count` messages in batches of 100. */
export async function driverEnqueue(broker: Broker, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    await broker.publish(
      Array.from({ length: BATCH }, (_, index) => ({
        route: { exchange: '', routingKey: 'celery' },
        message: {
          ...benchMessage(from + index),
          contentType: 'application/json',
          contentEncoding: 'utf-8',
        },
      })),
    )
  }
}

/** Fetch and acknowledge in batches of 100 until the queue is empty. */
export async function driverDrain(broker: Broker): Promise<void> {
  const consumer = await broker.consume(['celery'], { credit: 1000, leaseMs: 30_000 })
  for (;;) {
    const deliveries = await consumer.fetch(BATCH, { waitMs: 0, signal: never })
    if (deliveries.length === 0) break
    await consumer.ack(deliveries)
  }
  await consumer.close()
}
