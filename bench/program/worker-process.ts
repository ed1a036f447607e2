/**
 * A worker in a process of its own: `node worker-process.js <place> <concurrency> [results]`; a place is the path of a
 * SQLite file or the URL of a server.
 *
 * Sends `ready` to its parent, then answers `usage` with memory and processor time, `latencies` with the start
 * latencies seen, `ran <count>` when that many tasks have run, and ends at `stop`.
 */
import { Lovage } from '../../src/index.js'
import { Worker } from '../../src/worker/index.js'
import { storeAt } from './bench-app.js'

const [, , place = '', concurrency = '10', results] = process.argv
const app = new Lovage('bench', { ...storeAt(place), taskIgnoreResult: results === undefined })
const latenciesMs: number[] = []
let ran = 0
let wanted = Number.POSITIVE_INFINITY

app.task('bench.noop', (_value: number): void => {
  ran += 1
  if (ran >= wanted) told()
})
const sinceMs = (sentNs: string): number => Number(process.hrtime.bigint() - BigInt(sentNs)) / 1e6
// Both processes read the machine's monotonic clock.
app.task('bench.started', (sentNs: string): void => {
  latenciesMs.push(sinceMs(sentNs))
})
// Whoever waits for the result is told the same by it.
app.task('bench.since', sinceMs)

const worker = new Worker(app, { concurrency: Number(concurrency) })
await worker.start()
process.on('message', (message) => void answer(String(message)))
process.send?.('ready')

async function answer(message: string): Promise<void> {
  const [word, argument] = message.split(' ')
  if (word === 'usage') process.send?.(usage())
  if (word === 'latencies') process.send?.({ ...latenciesMs })
  if (word === 'ran') {
    wanted = Number(argument)
    if (ran >= wanted) told()
  }
  if (word === 'stop') {
    await worker.stop()
    await app.close()
    process.disconnect()
  }
}

function told(): void {
  wanted = Number.POSITIVE_INFINITY
  process.send?.('ran')
}

function usage(): Record<string, number> {
  const { user, system } = process.cpuUsage()
  const { rss, heapUsed } = process.memoryUsage()
  return { cpuMs: (user + system) / 1000, rssMiB: rss / 2 ** 20, heapMiB: heapUsed / 2 ** 20 }
}
