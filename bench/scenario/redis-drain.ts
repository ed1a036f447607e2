import { Redis } from 'ioredis'
import { Worker } from '../../src/worker/index.js'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { byBullMq } from '../program/peer.js'
import { redisStore, serverCpuUs, withRedis } from '../program/redis-place.js'
import { rawDrain } from '../program/redis-raw.js'

const COUNT = 20_000
/** Run first and not measured, by every contestant: a worker lives for days, its compiler's work takes a second. */
const WARM_UP = 20_000

/** Drain by a worker that runs already, until nothing is claimed any more. */
function byWorker(concurrency: number, ignoreResult: boolean): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url), ignoreResult)
    await send(bench, WARM_UP + COUNT)
    const redis = new Redis(url)
    const worker = new Worker(bench.app, { concurrency })
    const warm = bench.ran(WARM_UP)
    const starting = worker.start()
    await warm
    const all = bench.ran(WARM_UP + COUNT)
    const before = await serverCpuUs(redis)
    const stopwatch = new Stopwatch()
    await all
    while ((await redis.exists('unacked')) === 1) await new Promise((resolve) => setTimeout(resolve, 1))
    const sample = stopwatch.read(COUNT)
    const serverUs = ((await serverCpuUs(redis)) - before) / COUNT
    await starting
    await worker.stop()
    await bench.app.close()
    redis.disconnect()
    return { ...sample, serverUs }
  })
}

const peer = (what: string, concurrency: number): Promise<Sample> =>
  withRedis((url) => byBullMq(what, url, String(COUNT), String(concurrency), String(WARM_UP)))

/** How near a worker on Redis comes to what Redis can do, and what its peer does. */
export const redisDrain: Scenario = {
  name: 'redis-drain',
  about: `Drain of ${COUNT} no-op tasks on Redis after ${WARM_UP} that are not measured, against raw scripts of 100 and BullMQ (where bench/peers is installed).`,
  rounds: 5,
  contestants: [
    {
      name: 'raw',
      run: () => withRedis((url) => rawDrain(url, { warmUp: WARM_UP, count: COUNT, hasResults: false })),
    },
    {
      name: 'raw results',
      run: () => withRedis((url) => rawDrain(url, { warmUp: WARM_UP, count: COUNT, hasResults: true })),
    },
    { name: 'worker c1', run: () => byWorker(1, true) },
    { name: 'worker c10', run: () => byWorker(10, true) },
    { name: 'worker c100', run: () => byWorker(100, true) },
    { name: 'worker c10 results', run: () => byWorker(10, false) },
    { name: 'BullMQ c1', run: () => peer('drain', 1) },
    { name: 'BullMQ c10', run: () => peer('drain', 10) },
    { name: 'BullMQ c10 results', run: () => peer('drain-results', 10) },
  ],
  goals: [
    ratio('worker c10', 'raw', { atLeast: 0.55 }),
    ratio('worker c10', 'BullMQ c10', { atLeast: 2.5 }),
    ratio('worker c10', 'BullMQ c10', { atMost: 0.4 }, 'cpuUs'),
    ratio('worker c1', 'BullMQ c1', { atLeast: 3 }),
    ratio('worker c10 results', 'raw results', { atLeast: 0.5 }),
    ratio('worker c10 results', 'BullMQ c10 results', { atLeast: 2 }),
  ],
}
