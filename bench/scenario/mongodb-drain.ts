import { MongoClient } from 'mongodb'
import { Worker } from '../../src/worker/index.js'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp } from '../program/bench-app.js'
import { withMongodb } from '../program/mongodb-place.js'
import { rawDrain, rawDrainOneByOne } from '../program/mongodb-raw.js'
import { byAgenda } from '../program/peer.js'

const COUNT = 2_000
/** Agenda takes longer for each job, the more there are. */
const AGENDA_COUNT = 300

/** Drain by a worker, from the start of its first body until the last message is gone. */
function byWorker(concurrency: number, ignoreResult = true): Promise<Sample> {
  return withMongodb(async (url) => {
    const bench = benchApp({ broker: url, backend: url }, ignoreResult)
    for (let sent = 0; sent < COUNT; sent += 1000)
      await bench.noop.bulk(Array.from({ length: 1000 }, (_, index): [number] => [sent + index]))
    const client = await MongoClient.connect(url)
    const messages = client.db().collection('messages')
    const worker = new Worker(bench.app, { concurrency })
    const first = bench.ran(1)
    const starting = worker.start()
    await first
    const all = bench.ran(COUNT)
    const stopwatch = new Stopwatch()
    await all
    while ((await messages.findOne()) !== null) await new Promise((resolve) => setTimeout(resolve, 2))
    const sample = stopwatch.read(COUNT)
    await starting
    await worker.stop()
    await bench.app.close()
    await client.close()
    return sample
  })
}

/** How near a worker on MongoDB comes to its driver, and what its peer does. */
export const mongodbDrain: Scenario = {
  name: 'mongodb-drain',
  about: `Drain of ${COUNT} no-op tasks on MongoDB, against raw batches of 100 and Agenda (${AGENDA_COUNT} jobs).`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withMongodb((url) => rawDrain(url, COUNT)) },
    { name: 'raw, claimed one by one', run: () => withMongodb((url) => rawDrainOneByOne(url, COUNT)) },
    { name: 'worker c10', run: () => byWorker(10) },
    { name: 'worker c100', run: () => byWorker(100) },
    { name: 'worker c10 results', run: () => byWorker(10, false) },
    {
      name: 'Agenda c10',
      run: () => withMongodb((url) => byAgenda('drain', url, String(AGENDA_COUNT), '10')),
    },
  ],
  goals: [
    ratio('worker c10', 'raw', { atLeast: 0.7 }),
    ratio('worker c100', 'raw', { atLeast: 0.7 }),
    ratio('worker c10', 'Agenda c10', { atLeast: 2 }),
    ratio('worker c10', 'Agenda c10', { atMost: 1 / 3 }, 'cpuUs'),
  ],
}
