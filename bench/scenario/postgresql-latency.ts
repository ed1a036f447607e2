import { setTimeout as sleep } from 'node:timers/promises'
import { Lovage } from '../../src/index.js'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { quantile } from '../harness/statistics.js'
import { byPeer } from '../program/peer.js'
import { withPostgresql } from '../program/postgresql-place.js'
import { RemoteWorker } from '../program/remote-worker.js'

const COUNT = 300

function byWorker(): Promise<Sample> {
  return withPostgresql(async ({ url }) => {
    const app = new Lovage('bench', { broker: url, backend: url, taskIgnoreResult: true })
    const started = app.task('bench.started', (_sentNs: string): void => undefined)
    const worker = await RemoteWorker.start(url, 10)
    for (let sent = 0; sent < COUNT; sent += 1) {
      await sleep(10)
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
      tasks: latenciesMs.length,
    }
  })
}

/** From the send in one process to the start of the body in another. */
export const postgresqlLatency: Scenario = {
  name: 'postgresql-latency',
  about: `From the call of delay to the start of the body in another process, PostgreSQL, ${COUNT} tasks 10 ms apart.`,
  rounds: 5,
  contestants: [
    { name: 'worker', run: byWorker },
    {
      name: 'graphile',
      run: () =>
        withPostgresql((place) => byPeer('graphile-worker', place, { what: 'latency', count: COUNT })),
    },
  ],
  goals: [ratio('worker', 'graphile', { atMost: 0.9 }, 'p50Ms')],
}
