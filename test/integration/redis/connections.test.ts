import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { eventually } from '../../conformance/time.js'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'

jest.setTimeout(60_000)

const MOST_CONNECTIONS = 4
const withOwn = canStartRedis() ? describe : describe.skip

withOwn('a program on Redis', () => {
  let own: RedisServer
  let admin: Redis

  beforeEach(async () => {
    own = await RedisServer.start()
    admin = new Redis(own.url, { connectionName: 'admin' })
  })

  afterEach(async () => {
    admin.disconnect()
    await own[Symbol.asyncDispose]()
  })

  async function clients(): Promise<readonly string[]> {
    const list = String(await admin.call('CLIENT', 'LIST'))
    return list.split('\n').filter((line) => line !== '' && !line.includes('name=admin '))
  }

  it.each([
    ['in another database', '1'],
    ['in the same database', '0'],
  ])('that works twenty queues with results %s has at most four connections', async (_where, database) => {
    const queues = Array.from({ length: 20 }, (_, index) => ({ name: `queue-${index}` }))
    await using app = new Lovage('shop', {
      broker: own.url,
      backend: own.url.replace(/0$/, database),
      taskQueues: queues,
      taskDefaultQueue: 'queue-0',
    })
    const double = app.task('shop.double', (value: number) => 2 * value)
    const relay = app.task('shop.relay', async (queue: string) => {
      await double.applyAsync([21], { queue })
    })
    const worker = new Worker(app, { concurrency: 10 })
    await worker.start()
    const results = await Promise.all(
      queues.map(({ name }, index) => double.applyAsync([index], { queue: name })),
    )
    await relay.delay('queue-7')

    // One more hears results here, in the database that has them, and one may wait in a blocking move.
    expect(await Promise.all(results.map((result) => result.get(30)))).toEqual(
      queues.map((_, index) => 2 * index),
    )
    const here = await clients()
    expect(here.length).toBeLessThanOrEqual(MOST_CONNECTIONS)
    await worker.stop()
  })

  it('leaves the channel of every result that it has waited for, and hears none before it waits', async () => {
    await using app = new Lovage('shop', { broker: own.url, backend: own.url })
    const double = app.task('shop.double', (value: number) => 2 * value)
    const sent = await Promise.all(Array.from({ length: 50 }, (_, index) => double.delay(index)))
    const channels = async (): Promise<number> => {
      const names = await admin.call('PUBSUB', 'CHANNELS', '*celery-task-meta-*')
      return Array.isArray(names) ? names.length : Number.NaN
    }
    expect(await channels()).toBe(0)
    const waiting = Promise.all(sent.map((result) => result.get(30)))
    await eventually(async () => (await channels()) === sent.length)

    const worker = new Worker(app, { concurrency: 10 })
    await worker.start()
    expect(await waiting).toEqual(sent.map((_, index) => 2 * index))
    await eventually(async () => (await channels()) === 0)
    await worker.stop()
  })
})
