import { chooseEngine } from '../../brokers/sql/engine/choose.js'
import { Worker } from '../../src/worker/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send, sqliteStore, type BenchApp } from '../program/bench-app.js'
import { driverDrain, driverEnqueue, openDriver } from '../program/sqlite-driver.js'
import { openRawQueue, rawDrain, rawEnqueue } from '../program/sqlite-raw.js'
import { withFile } from '../program/temporary-file.js'

const COUNT = 20_000

/** Drain by a worker, from the start of its first body until the last row is gone. */
function byWorker(concurrency: number, ignoreResult: boolean, warmUps = 0): Promise<Sample> {
  return withFile(async (path) => {
    const bench = benchApp(sqliteStore(path), ignoreResult)
    await warmUp(bench, concurrency, warmUps)
    const before = warmUps * COUNT
    await send(bench, COUNT)
    const engine = await chooseEngine(undefined)
    const native = engine.open(path)
    const left = native.prepare('SELECT count(*) FROM lovage_message')
    const worker = new Worker(bench.app, { concurrency })
    const first = bench.ran(before + 1)
    const starting = worker.start()
    await first
    const all = bench.ran(before + COUNT)
    const stopwatch = new Stopwatch()
    await all
    while (left.all([])[0]?.[0] !== 0) await new Promise((resolve) => setTimeout(resolve, 1))
    const sample = stopwatch.read(COUNT)
    await starting
    await worker.stop()
    native.close()
    await bench.app.close()
    return sample
  })
}

async function warmUp(bench: BenchApp, concurrency: number, times: number): Promise<void> {
  for (let time = 1; time <= times; time += 1) {
    await send(bench, COUNT)
    const ran = bench.ran(time * COUNT)
    await using worker = new Worker(bench.app, { concurrency })
    await worker.start()
    await ran
    await worker.stop()
  }
}

function byRawStatements(warmUps = 0): Promise<Sample> {
  return withFile(async (path) => {
    const native = openRawQueue(await chooseEngine(undefined), path)
    for (let time = 0; time < warmUps; time += 1) {
      rawEnqueue(native, COUNT)
      rawDrain(native)
    }
    rawEnqueue(native, COUNT)
    const stopwatch = new Stopwatch()
    rawDrain(native)
    const sample = stopwatch.read(COUNT)
    native.close()
    return sample
  })
}

function byDriver(): Promise<Sample> {
  return withFile(async (path) => {
    const broker = await openDriver(path)
    await driverEnqueue(broker, COUNT)
    const stopwatch = new Stopwatch()
    await driverDrain(broker)
    const sample = stopwatch.read(COUNT)
    await broker.close()
    return sample
  })
}

function ofRaw(contestant: string, raw = 'raw'): Scenario['goals'][number] {
  return {
    name: `${contestant}: rate, of ${raw}`,
    atLeast: 0.6,
    value: (sample) => field(sample(contestant), 'perSecond') / field(sample(raw), 'perSecond'),
  }
}

/** How near a worker on SQLite comes to what SQLite can do. */
export const sqliteDrain: Scenario = {
  name: 'sqlite-drain',
  about: `Drain of ${COUNT} no-op tasks on SQLite, synchronous FULL, against raw two-phase batches of 100.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => byRawStatements() },
    { name: 'driver', run: byDriver },
    { name: 'worker c10', run: () => byWorker(10, true) },
    { name: 'worker c100', run: () => byWorker(100, true) },
    { name: 'raw, warm', run: () => byRawStatements(2) },
    { name: 'worker c10, warm', run: () => byWorker(10, true, 2) },
    { name: 'worker c100, warm', run: () => byWorker(100, true, 2) },
    { name: 'worker c10 results', run: () => byWorker(10, false) },
    { name: 'worker c100 results', run: () => byWorker(100, false) },
  ],
  goals: [
    ofRaw('worker c10'),
    ofRaw('worker c100'),
    ofRaw('worker c10, warm', 'raw, warm'),
    ofRaw('worker c100, warm', 'raw, warm'),
  ],
}
