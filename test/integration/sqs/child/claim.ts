/** A process that claims messages and then does nothing: `claim.js <url> <queue> <count> <leaseMs>`. */
import { createBroker } from '../../../../brokers/sqs/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'

const [, , url = '', queue = '', count = '0', leaseMs = '0'] = process.argv
const never = new AbortController().signal

const broker = createBroker(parseConnectionUrl(url), {})
await broker.connect(never)
const consumer = await broker.consume([queue], { credit: 1000, leaseMs: Number(leaseMs) })
let claimed = 0
while (claimed < Number(count)) {
  claimed += (await consumer.fetch(Number(count) - claimed, { waitMs: 5000, signal: never })).length
}
process.stdout.write('claimed\n')
setInterval(() => undefined, 60_000)
