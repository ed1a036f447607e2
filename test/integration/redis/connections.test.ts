import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { Redis } from 'ioredis'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'
import { consume, openStage, outgoing, take, textsOf, until } from './stage.js'

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

  it('that works twenty queues and sends from its tasks has at most four connections', async () => {
    const queues = Array.from({ length: 20 }, (_, index) => ({ name: `queue-${index}` }))
    await using app = new Lovage('shop', {
      broker: own.url,
      backend: own.url.replace(/0$/, '1'),
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

    // One more hears results here, in the database that has them.
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
    await until('the channels', async () => (await channels()) === sent.length)

    const worker = new Worker(app, { concurrency: 10 })
    await worker.start()
    expect(await waiting).toEqual(sent.map((_, index) => 2 * index))
    await until('the end of the channels', async () => (await channels()) === 0)
    await worker.stop()
  })

  it('is given a task by one command after it was woken', async () => {
    await using stage = await openStage(own.url)
    const consumer = await consume(stage.broker)
    // It waits where it was told that there is nothing.
    const fetching = consumer.fetch(5, { waitMs: 20_000, signal: new AbortController().signal })
    await until('the wait', async () => (await clients()).some((line) => line.includes('sub=1')))
    await until('the tracked look', async () => Number(await statOf(admin, 'tracking_total_keys')) > 0)
    const envelope = await envelopeOf(stage.keys, stage.broker)
    const commands: string[] = []
    const monitor = await admin.monitor()
    monitor.on('monitor', (_time: string, [name = '']: readonly string[], source: string) => {
      if (source !== 'lua') commands.push(name.toLowerCase())
    })
    const other = new Redis(own.url)
    const list = `${stage.prefix}celery`

    await other.lpush(list, envelope)
    const deliveries = await fetching

    expect(textsOf(deliveries)).toEqual(['woken'])
    await until('the monitor', async () => Promise.resolve(commands.includes('evalsha')))
    // What other clients say of themselves comes with their connections.
    const isNoise = new Set(['info', 'client', 'select'])
    expect(commands.filter((name) => !isNoise.has(name)).slice(0, 2)).toEqual(['lpush', 'evalsha'])
    monitor.disconnect()
    other.disconnect()
    expect(await take(consumer, 1, 100)).toEqual([])
  })
})

async function statOf(redis: Redis, name: string): Promise<string | undefined> {
  return new RegExp(`${name}:(\\d+)`).exec(await redis.info('stats'))?.[1]
}

/** The envelope of a message to another queue, out of whose list it is taken. */
async function envelopeOf(
  keys: Redis,
  broker: Awaited<ReturnType<typeof openStage>>['broker'],
): Promise<string> {
  await broker.declare({ name: 'aside', lifetime: 'durable', bindings: [] })
  await broker.publish([{ ...outgoing('woken'), route: { exchange: '', routingKey: 'aside' } }])
  return (await keys.rpop('aside')) ?? ''
}
