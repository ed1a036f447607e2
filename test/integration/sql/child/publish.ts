/** A process that publishes one message every 15 ms, with the moment of its confirmation in the next one's header. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createBroker } from '../../../../brokers/sql/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { textMessage } from '../queue.js'

const [, , url = '', queue = '', count = '0'] = process.argv

const broker = createBroker(parseConnectionUrl(url), {})
await broker.connect(new AbortController().signal)
for (let index = 0; index < Number(count); index += 1) {
  await sleep(15)
  await broker.publish([
    textMessage(queue, String(index), { sentAtMs: performance.timeOrigin + performance.now() }),
  ])
}
await broker.close()
