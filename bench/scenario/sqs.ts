import { Worker } from '../../src/worker/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { bySqsConsumer } from '../program/peer.js'
import { emptied, fill, withSqs, type SqsPlace } from '../program/sqs-place.js'
import { rawSqsDrain, rawSqsEnqueue } from '../program/sqs-raw.js'

const COUNT = 6_000
/** Not measured: meanwhile the thread that renews claims loads the SDK, a second of processor time, once. */
const WARM_UP = 2_000

/** An app whose tasks go to the queue of the place. */
function appAt({ url, queue }: SqsPlace): ReturnType<typeof benchApp> {
  const store = { broker: url, backend: 'memory://', taskDefaultQueue: queue }
  return benchApp(store)
}

/** Drain by a worker, from the end of its warm-up until nothing is claimed any more. */
function byWorker(concurrency: number): Promise<Sample> {
  return withSqs(async (place) => {
    const bench = appAt(place)
    await fill(place, COUNT)
    const worker = new Worker(bench.app, { concurrency })
    const warm = bench.ran(WARM_UP)
    const starting = worker.start()
    await warm
    const all = bench.ran(COUNT)
    const stopwatch = new Stopwatch()
    await all
    await emptied(place)
    const sample = stopwatch.read(COUNT - WARM_UP)
    await starting
    await worker.stop()
    await bench.app.close()
    return sample
  })
}

function byDelay(): Promise<Sample> {
  return withSqs(async (place) => {
    const bench = appAt(place)
    await send(bench, 1_000)
    const stopwatch = new Stopwatch()
    await send(bench, COUNT)
    const sample = stopwatch.read(COUNT)
    await bench.app.close()
    return sample
  })
}

function byPeer(): Promise<Sample> {
  return withSqs(async (place) => {
    await fill(place, COUNT)
    return bySqsConsumer(place.url, place.queueUrl, String(COUNT))
  })
}

function ratio(
  contestant: string,
  of: string,
  bound: { readonly atLeast: number } | { readonly atMost: number },
  name = 'perSecond',
): Scenario['goals'][number] {
  return {
    name: `${contestant}: ${name}, of ${of}`,
    ...bound,
    value: (sample) => field(sample(contestant), name) / field(sample(of), name),
  }
}

/** How near a worker on Amazon SQS comes to what the SDK can do, and what its peer does. */
export const sqsDrain: Scenario = {
  name: 'sqs-drain',
  about: `Drain of ${COUNT} no-op tasks on ElasticMQ, against raw batches of ten and sqs-consumer (where bench/peers is installed).`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withSqs((place) => rawSqsDrain(place, COUNT)) },
    { name: 'worker c10', run: () => byWorker(10) },
    { name: 'worker c100', run: () => byWorker(100) },
    { name: 'sqs-consumer', run: byPeer },
  ],
  goals: [
    ratio('worker c10', 'raw', { atLeast: 0.7 }),
    ratio('worker c100', 'raw', { atLeast: 0.7 }),
    ratio('worker c10', 'sqs-consumer', { atLeast: 1.5 }),
    ratio('worker c10', 'sqs-consumer', { atMost: 1 }, 'cpuUs'),
  ],
}

/** How near sends come to raw batches of ten. */
export const sqsEnqueue: Scenario = {
  name: 'sqs-enqueue',
  about: `Enqueue of ${COUNT} tasks on ElasticMQ, against raw batches of ten of the same message.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withSqs((place) => rawSqsEnqueue(place, COUNT)) },
    { name: 'delay, 100 in flight', run: byDelay },
  ],
  goals: [ratio('delay, 100 in flight', 'raw', { atLeast: 0.7 })],
}
