import { Redis } from 'ioredis'
import type { Sample } from '../harness/scenario.js'
import { benchApp, send } from './bench-app.js'
import { redisStore, serverCpuUs, withRedis } from './redis-place.js'

/** Workers that are there and wait. */
export interface Waiting {
  /** Processor time that they have used so far, in microseconds. */
  cpuUs(): Promise<number>
  stop(): Promise<void>
}

const STAGED = 'staged'
const QUEUE = 'celery'

/**
 * Let workers that have run some tasks already, and wait, drain a queue that is there all at once.
 *
 * @param warmUp - Tasks that they run first.
 */
export function stagedDrain(
  count: number,
  warmUp: number,
  start: (url: string) => Promise<Waiting>,
): Promise<Sample> {
  return withRedis(async (url) => {
    const redis = new Redis(url)
    const bench = benchApp(redisStore(url))
    await send(bench, count)
    await redis.rename(QUEUE, STAGED)
    const workers = await start(url)
    await send(bench, warmUp)
    await drained(redis)
    const [serverBefore, before] = [await serverCpuUs(redis), await workers.cpuUs()]
    const beganMs = performance.now()
    await redis.rename(STAGED, QUEUE)
    await drained(redis)
    const tookMs = performance.now() - beganMs
    const sample = {
      perSecond: (count / tookMs) * 1000,
      cpuUs: ((await workers.cpuUs()) - before) / count,
      serverUs: ((await serverCpuUs(redis)) - serverBefore) / count,
    }
    await workers.stop()
    await bench.app.close()
    redis.disconnect()
    return sample
  })
}

async function drained(redis: Redis): Promise<void> {
  while ((await redis.exists(QUEUE, 'unacked')) > 0) await new Promise((resolve) => setTimeout(resolve, 2))
}
