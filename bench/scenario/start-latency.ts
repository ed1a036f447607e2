import { setTimeout as sleep } from 'node:timers/promises'
import { Lovage } from '../../src/index.js'
import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { quantile } from '../harness/statistics.js'
import { sqliteStore } from '../program/bench-app.js'
import { RemoteWorker } from '../program/remote-worker.js'
import { withFile } from '../program/temporary-file.js'

const COUNT = 300

function measure(gapMs: number): Promise<Sample> {
  return withFile(async (path) => {
    const app = new Lovage('bench', { ...sqliteStore(path), taskIgnoreResult: true })
    const started = app.task('bench.started', (_sentNs: string): void => undefined)
    const worker = await RemoteWorker.start(path, 10)
    for (let sent = 0; sent < COUNT; sent += 1) {
      await sleep(gapMs)
      await started.delay(String(process.hrtime.bigint()))
    }
    await sleep(500)
    const latenciesMs = await worker.latenciesMs()
    await worker.stop()
    await app.close()
    return {
      p50Ms: quantile(latenciesMs, 0.5),
      p95Ms: quantile(latenciesMs, 0.95),
      p99Ms: quantile(latenciesMs, 0.99),
      maxMs: Math.max(...latenciesMs),
      tasks: latenciesMs.length,
    }
  })
}

/** From `delay` in one process to the start of the body in another. */
export const startLatency: Scenario = {
  name: 'start-latency',
  about: `From the call of delay to the start of the body in another process, SQLite, ${COUNT} tasks one after the other.`,
  rounds: 5,
  contestants: [
    { name: '10 ms apart', run: () => measure(10) },
    { name: '50 ms apart', run: () => measure(50) },
  ],
  goals: ['10 ms apart', '50 ms apart'].map((contestant) => ({
    name: `${contestant}: p50 in ms`,
    atMost: 5,
    value: (sample) => field(sample(contestant), 'p50Ms'),
  })),
}
