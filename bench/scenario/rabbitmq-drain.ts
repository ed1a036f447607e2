import { Worker } from '../../src/worker/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp } from '../program/bench-app.js'
import { celeryDrain } from '../program/celery-drain.js'
import { rabbitStore, withRabbitmq } from '../program/rabbitmq-place.js'
import { rawDrain, rawFill } from '../program/rabbitmq-raw.js'

const COUNT = 20_000
/** Run first and not measured, by the worker and the raw program: a worker lives for days, its compiler's work takes a second. */
const WARM_UP = 20_000

/** Drain by a worker that runs already, to the start of its last body. */
function byWorker(concurrency: number): Promise<Sample> {
  return withRabbitmq(async ({ url, serverCpuUs }) => {
    await rawFill(url, WARM_UP + COUNT)
    const bench = benchApp(rabbitStore(url))
    const worker = new Worker(bench.app, { concurrency })
    const warm = bench.ran(WARM_UP)
    const starting = worker.start()
    await warm
    const all = bench.ran(WARM_UP + COUNT)
    const before = await serverCpuUs()
    const stopwatch = new Stopwatch()
    await all
    const sample = stopwatch.read(COUNT)
    const serverUs = ((await serverCpuUs()) - before) / COUNT
    await starting
    await worker.stop()
    await bench.app.close()
    return { ...sample, serverUs }
  })
}

function rate(contestant: string, of: string, atLeast: number): Scenario['goals'][number] {
  return {
    name: `${contestant}: rate, of ${of}`,
    atLeast,
    value: (sample) => field(sample(contestant), 'perSecond') / field(sample(of), 'perSecond'),
  }
}

/** How near a worker on RabbitMQ comes to what RabbitMQ can do, and what Celery does. */
export const rabbitmqDrain: Scenario = {
  name: 'rabbitmq-drain',
  about: `Drain of ${COUNT} no-op tasks on RabbitMQ after ${WARM_UP} that are not measured, against raw deliveries with multiple acks, and Celery prefork.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withRabbitmq((place) => rawDrain(place, WARM_UP, COUNT)) },
    { name: 'worker c10', run: () => byWorker(10) },
    { name: 'worker c100', run: () => byWorker(100) },
    { name: 'Celery prefork', run: () => withRabbitmq((place) => celeryDrain(place, COUNT)) },
  ],
  goals: [
    rate('worker c10', 'raw', 0.7),
    rate('worker c100', 'raw', 0.7),
    rate('worker c10', 'Celery prefork', 6),
  ],
}
