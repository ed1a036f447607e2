/** A process that works a queue off and prints the id of each message: `drain.js <url> <queue>`; ends when idle. */
import { createBroker } from '../../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'

const [, , url = '', queue = ''] = process.argv
const never = new AbortController().signal

const broker = createBroker(parseConnectionUrl(url), {})
await broker.connect(never)
const consumer = await broker.consume([queue], { credit: 100, leaseMs: 30_000 })
process.stdout.write('ready\n')
for (;;) {
  const deliveries = await consumer.fetch(20, { waitMs: 1500, signal: never })
  if (deliveries.length === 0) break
  const lost = new Set(await consumer.ack(deliveries))
  const done = deliveries.filter((delivery) => !lost.has(delivery))
  process.stdout.write(done.map(({ message }) => `id=${String(message.headers['id'])}\n`).join(''))
}
await broker.close()
