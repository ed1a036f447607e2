import { Worker } from '../../src/worker/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { internalsOf } from '../../src/util/internals.js'

const COUNT = 20_000
const STORE = { broker: 'memory://', backend: 'cache+memory://' }

/** Drains before the one that counts: a worker runs for days, and its first seconds are compilation. */
const WARM_UPS = 3

async function drain(concurrency: number, ignoreResult: boolean): Promise<Sample> {
  const bench = benchApp(STORE, ignoreResult)
  let sample: Sample = {}
  for (let round = 0; round <= WARM_UPS; round += 1) {
    await send(bench, COUNT)
    const worker = new Worker(bench.app, { concurrency })
    const ran = bench.ran((round + 1) * COUNT)
    const stopwatch = new Stopwatch()
    await worker.start()
    await ran
    await worker.stop()
    sample = stopwatch.read(COUNT)
  }
  await bench.app.close()
  return sample
}

async function decode(): Promise<Sample> {
  const { app, noop } = benchApp(STORE)
  await internalsOf(app).prepareCodecs()
  await noop.delay(1)
  const broker = await internalsOf(app).broker()
  const consumer = await broker.consume(['celery'], { credit: 1, leaseMs: 30_000 })
  const deliveries = await consumer.fetch(1, { waitMs: 0, signal: new AbortController().signal })
  const stopwatch = new Stopwatch()
  for (let round = 0; round <= WARM_UPS; round += 1) {
    stopwatch.restart()
    for (const { message } of deliveries) {
      for (let count = 0; count < COUNT; count += 1) internalsOf(app).readTask(message)
    }
  }
  const sample = stopwatch.read(COUNT)
  await consumer.ack(deliveries)
  await app.close()
  return sample
}

/** What a worker adds to the decoding of a message, on a broker that costs nothing. */
export const memoryDrain: Scenario = {
  name: 'memory-drain',
  about: `Drain of ${COUNT} no-op tasks on the memory broker, in processor time a task.`,
  rounds: 5,
  contestants: [
    { name: 'decode', run: decode },
    { name: 'worker c10', run: () => drain(10, true) },
    { name: 'worker c100', run: () => drain(100, true) },
    { name: 'worker c10 results', run: () => drain(10, false) },
  ],
  goals: ['worker c10', 'worker c100'].map((contestant) => ({
    name: `${contestant}: µs above decoding`,
    atMost: 15,
    value: (sample) => field(sample(contestant), 'cpuUs') - field(sample('decode'), 'cpuUs'),
  })),
}
