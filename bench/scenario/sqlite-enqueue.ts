import { chooseEngine } from '../../brokers/sql/engine/choose.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send, sqliteStore } from '../program/bench-app.js'
import { driverEnqueue, openDriver } from '../program/sqlite-driver.js'
import { openRawQueue, rawEnqueue } from '../program/sqlite-raw.js'
import { withFile } from '../program/temporary-file.js'

const COUNT = 20_000
/** Sent before, by every contestant, so that producers are compared as they run, not as they start. */
const WARM_UP = 5_000

function byDelay(inFlight: number): Promise<Sample> {
  return withFile(async (path) => {
    const bench = benchApp(sqliteStore(path))
    await send(bench, WARM_UP, inFlight)
    const stopwatch = new Stopwatch()
    await send(bench, COUNT, inFlight)
    const sample = stopwatch.read(COUNT)
    await bench.app.close()
    return sample
  })
}

function byBulk(): Promise<Sample> {
  return withFile(async (path) => {
    const bench = benchApp(sqliteStore(path))
    await send(bench, WARM_UP)
    const stopwatch = new Stopwatch()
    for (let sent = 0; sent < COUNT; sent += 1000) {
      await bench.noop.bulk(Array.from({ length: 1000 }, (_, index): [number] => [sent + index]))
    }
    const sample = stopwatch.read(COUNT)
    await bench.app.close()
    return sample
  })
}

function byRawStatements(): Promise<Sample> {
  return withFile(async (path) => {
    const native = openRawQueue(await chooseEngine(undefined), path)
    rawEnqueue(native, WARM_UP)
    const stopwatch = new Stopwatch()
    rawEnqueue(native, COUNT)
    const sample = stopwatch.read(COUNT)
    native.close()
    return sample
  })
}

function byDriver(): Promise<Sample> {
  return withFile(async (path) => {
    const broker = await openDriver(path)
    await driverEnqueue(broker, WARM_UP)
    const stopwatch = new Stopwatch()
    await driverEnqueue(broker, COUNT)
    const sample = stopwatch.read(COUNT)
    await broker.close()
    return sample
  })
}

/** How near concurrent sends come to raw batches. */
export const sqliteEnqueue: Scenario = {
  name: 'sqlite-enqueue',
  about: `Enqueue of ${COUNT} tasks on SQLite, synchronous FULL, against raw inserts of 100 that build the same message.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: byRawStatements },
    { name: 'driver', run: byDriver },
    { name: 'delay, 100 in flight', run: () => byDelay(100) },
    { name: 'bulk, 1000 a call', run: byBulk },
  ],
  goals: [
    {
      name: '100 in flight: rate, of raw',
      atLeast: 0.7,
      value: (sample) =>
        field(sample('delay, 100 in flight'), 'perSecond') / field(sample('raw'), 'perSecond'),
    },
  ],
}
