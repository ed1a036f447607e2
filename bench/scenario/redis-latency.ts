import { setTimeout as sleep } from 'node:timers/promises'
import { Lovage } from '../../src/index.js'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { quantile } from '../harness/statistics.js'
import { byBullMq } from '../program/peer.js'
import { redisStore, withRedis } from '../program/redis-place.js'
import { rawLatencies } from '../program/redis-raw-latency.js'
import { RemoteWorker } from '../program/remote-worker.js'

const COUNT = 500
const GAP_MS = 10
/** Sent before, one right after the other, and not measured: as in a process that has been there for a minute. */
const WARM_UP = 3_000

function byWorker(): Promise<Sample> {
  return withRedis(async (url) => {
    const app = new Lovage('bench', redisStore(url))
    const since = app.task('bench.since', (_sentNs: string): number => 0)
    const worker = await RemoteWorker.start(url, 10, 'results')
    const starts: number[] = []
    const ends: number[] = []
    for (let sent = 0; sent < WARM_UP + COUNT; sent += 1) {
      if (sent >= WARM_UP) await sleep(GAP_MS)
      const sentNs = process.hrtime.bigint()
      const result = await since.delay(String(sentNs))
      starts.push(await result.get(30))
      ends.push(Number(process.hrtime.bigint() - sentNs) / 1e6)
    }
    await worker.stop()
    await app.close()
    return latencies(starts, ends)
  })
}

function latencies(starts: readonly number[], ends: readonly number[]): Sample {
  const [warmStarts, warmEnds] = [starts.slice(WARM_UP), ends.slice(WARM_UP)]
  return {
    startP50Ms: quantile(warmStarts, 0.5),
    startP99Ms: quantile(warmStarts, 0.99),
    resultP50Ms: quantile(warmEnds, 0.5),
    resultP99Ms: quantile(warmEnds, 0.99),
  }
}

/** From `delay` to the start of the body in an idle worker, and to its result here. */
export const redisLatency: Scenario = {
  name: 'redis-latency',
  about: `From the call of delay to the body in another process and to its result here, ${COUNT} tasks, ${GAP_MS} ms apart, after ${WARM_UP} that are not measured.`,
  rounds: 5,
  contestants: [
    {
      name: 'raw',
      run: () =>
        withRedis(async (url) => {
          const { starts, ends } = await rawLatencies(url, { warmUp: WARM_UP, count: COUNT, gapMs: GAP_MS })
          return latencies(starts, ends)
        }),
    },
    { name: 'worker', run: byWorker },
    {
      name: 'BullMQ',
      run: () => withRedis((url) => byBullMq('latency', url, String(COUNT), '10', String(WARM_UP))),
    },
  ],
  goals: [
    ratio('worker', 'BullMQ', { atMost: 0.6 }, 'startP50Ms'),
    ratio('worker', 'raw', { atMost: 1.2 }, 'startP50Ms'),
    ratio('worker', 'BullMQ', { atMost: 0.65 }, 'resultP50Ms'),
    ratio('worker', 'raw', { atMost: 1.2 }, 'resultP50Ms'),
  ],
}
