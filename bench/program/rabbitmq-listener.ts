/**
 * Something in a process of its own that notes when messages come: `node rabbitmq-listener.js raw|worker <url>`.
 *
 * Sends `ready` to its parent, and at `stop` the milliseconds from each send to its start.
 */
import { Lovage } from '../../src/index.js'
import { Worker } from '../../src/worker/index.js'
import { rabbitStore } from './rabbitmq-place.js'
import { rawListen } from './rabbitmq-raw.js'

const [, , kind = '', url = ''] = process.argv
const latenciesMs: number[] = []

// Both processes read the machine's monotonic clock.
const started = (sentNs: string): void => {
  latenciesMs.push(Number(process.hrtime.bigint() - BigInt(sentNs)) / 1e6)
}
const close = kind === 'raw' ? await rawListen(url, started) : await work()
process.on('message', () => void stop())
process.send?.('ready')

async function work(): Promise<() => Promise<void>> {
  const app = new Lovage('bench', { ...rabbitStore(url), taskIgnoreResult: true })
  app.task('bench.started', started)
  const worker = new Worker(app, { concurrency: 10 })
  await worker.start()
  return async () => {
    await worker.stop()
    await app.close()
  }
}

async function stop(): Promise<void> {
  await close()
  process.send?.({ ...latenciesMs }, () => process.disconnect())
}
