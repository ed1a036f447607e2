import { setTimeout as sleep } from 'node:timers/promises'
import { Lovage } from '../../src/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { quantile } from '../harness/statistics.js'
import { storeAt } from '../program/bench-app.js'
import { withMongodb } from '../program/mongodb-place.js'
import { RemoteWorker } from '../program/remote-worker.js'

interface Sends {
  readonly wake: 'changes' | 'poll'
  readonly count: number
  readonly gapMs: number
}

function measure({ wake, count, gapMs }: Sends): Promise<Sample> {
  return withMongodb(async (server) => {
    const url = new URL(server)
    url.searchParams.set('wake', wake)
    const app = new Lovage('bench', { ...storeAt(url.href), taskIgnoreResult: true })
    const started = app.task('bench.started', (_sentNs: string): void => undefined)
    const worker = await RemoteWorker.start(url.href, 10)
    // Nobody has sent before, and a stream is believed once it is open for a while.
    await started.delay(String(process.hrtime.bigint()))
    await sleep(2_000)
    for (let sent = 0; sent < count; sent += 1) {
      await sleep(gapMs)
      await started.delay(String(process.hrtime.bigint()))
    }
    await sleep(1_500)
    const [, ...latenciesMs] = await worker.latenciesMs()
    await worker.stop()
    await app.close()
    return {
      p50Ms: quantile(latenciesMs, 0.5),
      p95Ms: quantile(latenciesMs, 0.95),
      maxMs: Math.max(...latenciesMs),
      tasks: latenciesMs.length,
    }
  })
}

const goal = (contestant: string, name: string, atMost: number): Scenario['goals'][number] => ({
  name: `${contestant}: ${name}`,
  atMost,
  value: (sample) => field(sample(contestant), name),
})

/** From `delay` in one process to the start of the body in another. */
export const mongodbLatency: Scenario = {
  name: 'mongodb-latency',
  about:
    'From the call of delay to the start of the body in another process, MongoDB, one task after the other.',
  rounds: 3,
  contestants: [
    { name: 'change stream', run: () => measure({ wake: 'changes', count: 100, gapMs: 50 }) },
    { name: 'polled, busy lately', run: () => measure({ wake: 'poll', count: 50, gapMs: 200 }) },
    { name: 'polled, idle for 12 s', run: () => measure({ wake: 'poll', count: 4, gapMs: 12_000 }) },
  ],
  goals: [
    goal('change stream', 'p50Ms', 5),
    goal('polled, busy lately', 'p50Ms', 60),
    goal('polled, idle for 12 s', 'maxMs', 1_000),
  ],
}
