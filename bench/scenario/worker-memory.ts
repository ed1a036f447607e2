import { setTimeout as sleep } from 'node:timers/promises'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { benchApp, send, sqliteStore } from '../program/bench-app.js'
import { RemoteWorker } from '../program/remote-worker.js'
import { withFile } from '../program/temporary-file.js'

const COUNT = 100_000
/** Node collects the garbage of the work some time after the work has ended. */
const A_MINUTE_MS = 60_000

/** This process sends, another one works. */
function measure(concurrency: number): Promise<Sample> {
  return withFile(async (path) => {
    const worker = await RemoteWorker.start(path, concurrency)
    await sleep(2_000)
    const idle = await worker.usage()
    const bench = benchApp(sqliteStore(path))
    await send(bench, COUNT)
    await worker.ran(COUNT)
    await sleep(2_000)
    const after = await worker.usage()
    await sleep(A_MINUTE_MS)
    const later = await worker.usage()
    await worker.stop()
    await bench.app.close()
    return {
      idleMiB: field(idle, 'rssMiB'),
      afterMiB: field(after, 'rssMiB'),
      growthMiB: field(after, 'rssMiB') - field(idle, 'rssMiB'),
      growthLaterMiB: field(later, 'rssMiB') - field(idle, 'rssMiB'),
      heapLaterMiB: field(later, 'heapMiB'),
    }
  })
}

/** What a worker keeps of the memory that work took. */
export const workerMemory: Scenario = {
  name: 'worker-memory',
  about: `Resident memory of a worker process on SQLite before and after ${COUNT} no-op tasks.`,
  rounds: 1,
  contestants: [
    { name: 'c10', run: () => measure(10) },
    { name: 'c100', run: () => measure(100) },
  ],
  goals: ['c10', 'c100'].flatMap((contestant) =>
    ['growthMiB', 'growthLaterMiB'].map((name) => ({
      name: `${contestant}: ${name}`,
      atMost: 20,
      value: (sample: (contestant: string) => Sample) => field(sample(contestant), name),
    })),
  ),
}
