import { setTimeout as sleep } from 'node:timers/promises'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { RemoteWorker } from '../program/remote-worker.js'
import { withFile } from '../program/temporary-file.js'

const SECONDS = 60
/** Node collects the garbage of the start in the first half minute. */
const SETTLING_MS = 30_000

function measure(): Promise<Sample> {
  return withFile(async (path) => {
    const worker = await RemoteWorker.start(path, 10)
    await sleep(SETTLING_MS)
    const before = await worker.usage()
    await sleep(SECONDS * 1000)
    const after = await worker.usage()
    await worker.stop()
    const usedMs = field(after, 'cpuMs') - field(before, 'cpuMs')
    return { percentOfACore: usedMs / (SECONDS * 10), rssMiB: field(after, 'rssMiB') }
  })
}

/** What a worker without work costs. */
export const workerRest: Scenario = {
  name: 'worker-rest',
  about: `Processor time of a worker on SQLite that has nothing to do, over ${SECONDS} s.`,
  rounds: 1,
  contestants: [{ name: 'idle worker', run: measure }],
  goals: [
    {
      name: 'percent of a core',
      atMost: 0.1,
      value: (sample) => field(sample('idle worker'), 'percentOfACore'),
    },
  ],
}
