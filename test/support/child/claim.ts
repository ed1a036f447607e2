/** A process that claims messages and then does nothing: `claim.js <url> <queue> <count> <leaseMs>`. */
import { brokerDrivers } from '../../../brokers/index.js'
import { BrokerRegistry } from '../../../src/broker/registry.js'
import { take } from '../messages.js'

const [, , url = '', queue = '', count = '0', leaseMs = '0'] = process.argv

const registry = new BrokerRegistry()
for (const driver of brokerDrivers) registry.register(driver)
const broker = await registry.open(url)
await broker.connect(new AbortController().signal)
const consumer = await broker.consume([queue], { credit: 1000, leaseMs: Number(leaseMs) })
let claimed = 0
while (claimed < Number(count)) claimed += (await take(consumer, Number(count) - claimed)).length
process.stdout.write('claimed\n')
setInterval(() => undefined, 60_000)
