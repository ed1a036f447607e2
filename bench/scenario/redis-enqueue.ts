import { Redis } from 'ioredis'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { byBullMq } from '../program/peer.js'
import { redisStore, serverCpuUs, withRedis } from '../program/redis-place.js'
import { rawBulk, rawEnqueue } from '../program/redis-raw.js'

const COUNT = 20_000
const WARM_UP = 5_000

/** Time sends, and ask the server what they cost it. */
async function timed(url: string, sendAll: () => Promise<void>): Promise<Sample> {
  const redis = new Redis(url)
  const before = await serverCpuUs(redis)
  const stopwatch = new Stopwatch()
  await sendAll()
  const sample = stopwatch.read(COUNT)
  const serverUs = ((await serverCpuUs(redis)) - before) / COUNT
  redis.disconnect()
  return { ...sample, serverUs }
}

function byDelay(): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url))
    await send(bench, WARM_UP)
    const sample = await timed(url, () => send(bench, COUNT))
    await bench.app.close()
    return sample
  })
}

function byBulk(): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url))
    const sendAll = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1000)
        await bench.noop.bulk(Array.from({ length: 1000 }, (_, index): [number] => [sent + index]))
    }
    await sendAll(WARM_UP)
    const sample = await timed(url, () => sendAll(COUNT))
    await bench.app.close()
    return sample
  })
}

/** How near sends come to raw pushes in shared packets. */
export const redisEnqueue: Scenario = {
  name: 'redis-enqueue',
  about: `Enqueue of ${COUNT} tasks on Redis, against raw LPUSH of the same message, and BullMQ.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withRedis((url) => rawEnqueue(url, COUNT)) },
    { name: 'raw bulk', run: () => withRedis((url) => rawBulk(url, COUNT)) },
    { name: 'delay, 100 in flight', run: byDelay },
    { name: 'bulk, 1000 a call', run: byBulk },
    { name: 'BullMQ add', run: () => withRedis((url) => byBullMq('add', url, String(COUNT), '1')) },
    { name: 'BullMQ addBulk', run: () => withRedis((url) => byBullMq('bulk', url, String(COUNT), '1')) },
  ],
  goals: [
    ratio('delay, 100 in flight', 'raw', { atLeast: 0.8 }),
    ratio('delay, 100 in flight', 'BullMQ add', { atLeast: 1.3 }),
    ratio('bulk, 1000 a call', 'BullMQ addBulk', { atLeast: 3 }),
  ],
}
