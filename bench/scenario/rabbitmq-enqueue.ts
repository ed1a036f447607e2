import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { rabbitStore, withRabbitmq } from '../program/rabbitmq-place.js'
import { rawEnqueue } from '../program/rabbitmq-raw.js'

const COUNT = 20_000
const WARM_UP = 5_000

function byDelay(): Promise<Sample> {
  return withRabbitmq(async ({ url, serverCpuUs }) => {
    const bench = benchApp(rabbitStore(url))
    await send(bench, WARM_UP)
    const before = await serverCpuUs()
    const stopwatch = new Stopwatch()
    await send(bench, COUNT)
    const sample = stopwatch.read(COUNT)
    const serverUs = ((await serverCpuUs()) - before) / COUNT
    await bench.app.close()
    return { ...sample, serverUs }
  })
}

const DELAY = 'delay, 100 in flight'

/** How near confirmed sends come to raw confirmed publishes. */
export const rabbitmqEnqueue: Scenario = {
  name: 'rabbitmq-enqueue',
  about: `Enqueue of ${COUNT} tasks on RabbitMQ, each confirmed, 100 in flight, against raw confirmed publishes.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withRabbitmq((place) => rawEnqueue(place, COUNT)) },
    { name: DELAY, run: byDelay },
  ],
  goals: [
    {
      name: `${DELAY}: rate, of raw`,
      atLeast: 0.95,
      value: (sample) => field(sample(DELAY), 'perSecond') / field(sample('raw'), 'perSecond'),
    },
  ],
}
