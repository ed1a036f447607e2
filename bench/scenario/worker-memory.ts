/**
 * What a worker costs: drain of no-op tasks on the memory broker, in processor time a task, above decoding.
 *
 * `node dist/bench/scenario/worker-memory.js [tasks] [rounds]`; prints one JSON line for each concurrency.
 */
import { Lovage } from '../../src/index.js'
import type { Message } from '../../src/message/message.js'
import { Worker } from '../../src/worker/index.js'

const count = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 3)

/** Processor time of this process so far, in microseconds. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

interface Round {
  readonly tasksPerSecond: number
  readonly cpuUsPerTask: number
}

async function drain(concurrency: number): Promise<Round> {
  const app = new Lovage('bench', { broker: 'memory://', backend: 'cache+memory://' })
  let ended = 0
  let done: () => void = () => undefined
  const finished = new Promise<void>((resolve) => {
    done = resolve
  })
  const noop = app.task('bench.noop', (_value: number) => {
    ended += 1
    if (ended === count) done()
  })
  for (let sent = 0; sent < count; sent += 1000) {
    await Promise.all(Array.from({ length: Math.min(1000, count - sent) }, (_, index) => noop.delay(index)))
  }
  const worker = new Worker(app, { concurrency })
  const startedUs = cpuUs()
  const startedMs = performance.now()
  await worker.start()
  await finished
  const tookMs = performance.now() - startedMs
  await worker.stop()
  const usedUs = cpuUs() - startedUs
  await app.broker().then((broker) => broker.purge('celery'))
  await app.close()
  return { tasksPerSecond: (count / tookMs) * 1000, cpuUsPerTask: usedUs / count }
}

async function decodeCost(): Promise<number> {
  const app = new Lovage('bench', { broker: 'memory://', backend: 'cache+memory://' })
  await app.prepareCodecs()
  const noop = app.task('bench.noop', (_value: number) => undefined)
  await noop.delay(1)
  const broker = await app.broker()
  const consumer = await broker.consume(['celery'], { credit: 1, leaseMs: 30_000 })
  const [delivery] = await consumer.fetch(1, { waitMs: 0, signal: new AbortController().signal })
  const message: Message | undefined = delivery?.message
  if (message === undefined) return 0
  const startedUs = cpuUs()
  for (let round = 0; round < count; round += 1) app.readTask(message)
  const usedUs = cpuUs() - startedUs
  await consumer.ack(delivery === undefined ? [] : [delivery])
  await app.close()
  return usedUs / count
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

await drain(10)
const decodeUs = median([await decodeCost(), await decodeCost(), await decodeCost()])
for (const concurrency of [10, 100]) {
  const found: Round[] = []
  for (let round = 0; round < rounds; round += 1) found.push(await drain(concurrency))
  const cpuUsPerTask = median(found.map((round) => round.cpuUsPerTask))
  const line = {
    scenario: 'worker-memory',
    concurrency,
    tasks: count,
    tasksPerSecond: Math.round(median(found.map((round) => round.tasksPerSecond))),
    cpuUsPerTask: Number(cpuUsPerTask.toFixed(1)),
    decodeUs: Number(decodeUs.toFixed(1)),
    aboveDecodingUs: Number((cpuUsPerTask - decodeUs).toFixed(1)),
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
