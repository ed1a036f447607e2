import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { Worker } from '../../src/worker/index.js'
import { benchApp } from '../program/bench-app.js'
import { byBullMq } from '../program/peer.js'
import { redisStore, withRedis } from '../program/redis-place.js'

const COUNT = 10_000
const CONCURRENCY = 100
/** Until they are due: enough to send all of them. */
const AHEAD_MS = 8_000

function byWorker(): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url))
    const eta = new Date(Date.now() + AHEAD_MS)
    for (let sent = 0; sent < COUNT; sent += 1000)
      await bench.noop.bulk(
        Array.from({ length: 1000 }, (_, index): [number] => [sent + index]),
        { eta },
      )
    const worker = new Worker(bench.app, { concurrency: CONCURRENCY })
    await worker.start()
    const before = process.cpuUsage()
    await bench.ran(COUNT)
    const lastMs = Date.now() - eta.getTime()
    const { user, system } = process.cpuUsage(before)
    await worker.stop()
    await bench.app.close()
    return { lastMs, cpuUs: (user + system) / COUNT }
  })
}

/** Tasks that are due all at once. */
export const redisDue: Scenario = {
  name: 'redis-due',
  about: `${COUNT} tasks due at one instant, concurrency ${CONCURRENCY}: when the last body starts.`,
  rounds: 5,
  contestants: [
    { name: 'worker', run: byWorker },
    {
      name: 'BullMQ',
      run: () => withRedis((url) => byBullMq('due', url, String(COUNT), String(CONCURRENCY))),
    },
  ],
  goals: [ratio('worker', 'BullMQ', { atMost: 0.6 }, 'lastMs')],
}
