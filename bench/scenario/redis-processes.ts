import { field, ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { drainByCelery } from '../program/celery-worker.js'
import { RemoteWorker } from '../program/remote-worker.js'
import { stagedDrain } from '../program/staged-drain.js'

const COUNT = 40_000
const FEW = 4_000
const WARM_UP = 5_000

function byWorkers(processes: number): Promise<Sample> {
  return stagedDrain(COUNT, WARM_UP, async (url) => {
    const starting = Array.from({ length: processes }, () => RemoteWorker.start(url, 10))
    const workers = await Promise.all(starting)
    return {
      cpuUs: async () => {
        const usages = await Promise.all(workers.map((worker) => worker.usage()))
        return usages.reduce((sum, usage) => sum + field(usage, 'cpuMs') * 1000, 0)
      },
      stop: async () => {
        await Promise.all(workers.map((worker) => worker.stop()))
      },
    }
  })
}

/** Worker processes that wait and are given a full queue, one and two of them, and Celery's. */
export const redisProcesses: Scenario = {
  name: 'redis-processes',
  about: `Drain of ${COUNT} no-op tasks on Redis by warm worker processes (Celery ${FEW}), concurrency 10 each.`,
  rounds: 5,
  contestants: [
    { name: 'one process', run: () => byWorkers(1) },
    { name: 'two processes', run: () => byWorkers(2) },
    { name: 'Celery prefork 2', run: () => drainByCelery(FEW, 2) },
  ],
  goals: [
    ratio('two processes', 'one process', { atLeast: 1.5 }),
    ratio('one process', 'Celery prefork 2', { atLeast: 20 }),
  ],
}
