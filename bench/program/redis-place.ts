import type { Redis } from 'ioredis'
import { RedisServer } from '../../test/support/redis-server.js'
import type { Sample } from '../harness/scenario.js'

/** Do `work` with the URL of a server of its own that keeps nothing on disk. */
export async function withRedis(work: (url: string) => Promise<Sample>): Promise<Sample> {
  await using server = await RedisServer.start()
  return await work(server.url)
}

/** Processor time that the server has used so far, in microseconds. */
export async function serverCpuUs(redis: Redis): Promise<number> {
  const text = await redis.info('cpu')
  const read = (name: string): number => Number(new RegExp(`${name}:([\\d.]+)`).exec(text)?.[1] ?? 0)
  return (read('used_cpu_user') + read('used_cpu_sys')) * 1e6
}

/** A server as broker and backend. */
export function redisStore(url: string): {
  readonly broker: string
  readonly backend: string
  readonly brokerTransportOptions: Readonly<Record<string, unknown>>
} {
  return { broker: url, backend: url, brokerTransportOptions: { delay: 'store' } }
}
