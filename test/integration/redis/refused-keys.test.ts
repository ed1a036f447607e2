import { describe, expect, it, jest } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { PublishError } from '../../../src/errors/errors.js'
import type { Outgoing } from '../../../src/broker/contract.js'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, server } from './stage.js'
import type { RedisStage } from './stage.js'
import { canStartRedis, RedisServer } from '../../support/redis-server.js'

jest.setTimeout(60_000)

const never = new AbortController().signal
const withServer = server === '' ? describe.skip : describe

/** A message to a queue. */
function to(queue: string, text: string): Outgoing {
  return { ...outgoing('celery', text), route: { exchange: '', routingKey: queue } }
}

/** Two declared queues, `good` and `bad`; the list of `bad` is a key of another type. */
async function openBad(): Promise<RedisStage> {
  const stage = await openStage()
  for (const name of ['good', 'bad']) await stage.broker.declare({ name, lifetime: 'durable', bindings: [] })
  await stage.keys.set('bad', 'of another application')
  return stage
}

/** Everything that waits in `good`. */
async function waiting({ keys }: RedisStage): Promise<number> {
  return keys.llen('good')
}

withServer('a key of another type where a queue has its list', () => {
  it('loses no message of a worker’s other queues, which it goes on with', async () => {
    await using stage = await openBad()
    const { broker } = stage
    await broker.publish(Array.from({ length: 50 }, (_, n) => to('good', String(n))))
    const consumer = await broker.consume(['good', 'bad'], { credit: 1_000, leaseMs: 30_000 })

    const taken = [...(await take(consumer, 10)), ...(await take(consumer, 15))]
    await consumer.ack(taken.slice(0, 5))
    await consumer.close()

    expect(taken).toHaveLength(25)
    expect(await waiting(stage)).toBe(45)
    expect(await stage.keys.exists('unacked', 'unacked_index')).toBe(0)
  })

  it('is an error where it is the only queue', async () => {
    await using stage = await openBad()
    const consumer = await stage.broker.consume(['bad'], { credit: 10, leaseMs: 30_000 })

    const fetching = consumer.fetch(1, { waitMs: 0, signal: never })

    await expect(fetching).rejects.toThrow('WRONGTYPE')
  })

  it('keeps no delayed message of another queue, and doubles none', async () => {
    await using stage = await openBad()
    const { broker, keys } = stage
    await broker.publish([
      { ...to('bad', 'held'), delayMs: 20 },
      { ...to('good', 'one'), delayMs: 40 },
      { ...to('good', 'two'), delayMs: 60 },
    ])
    const consumer = await broker.consume(['good'], { credit: 10, leaseMs: 30_000 })

    expect(textsOf(await take(consumer, 2))).toEqual(['one', 'two'])
    await consumer.fetch(10, { waitMs: 0, signal: never })

    expect(await keys.zcard('_lovage.delayed.bad')).toBe(1)
    expect(await keys.llen('good')).toBe(0)
  })

  it('keeps no claim of a lost worker’s other queues, and its own are held', async () => {
    await using stage = await openBad()
    const { broker, keys } = stage
    await keys.del('bad')
    await broker.publish([to('bad', 'held'), to('good', 'one'), to('good', 'two')])
    await take(await broker.consume(['bad', 'good'], { credit: 10, leaseMs: 200 }), 3)
    await keys.set('bad', 'of another application')

    const other = await broker.consume(['good'], { credit: 10, leaseMs: 30_000 })
    const again = await take(other, 2)

    expect(textsOf(again).toSorted()).toEqual(['one', 'two'])
    await eventually(async () => (await keys.zcard('_lovage.delayed.bad')) === 1)
    expect(await keys.hlen('unacked')).toBe(2)
  })

  it('refuses exactly the messages that are for it', async () => {
    await using stage = await openBad()
    const batch = [to('good', '1'), to('bad', '2'), to('good', '3'), to('bad', '4'), to('good', '5')]

    const error = await stage.broker.publish(batch).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )

    expect(error).toBeInstanceOf(PublishError)
    expect(error).toMatchObject({ indexes: [1, 3], message: expect.stringContaining('WRONGTYPE') })
    expect(await waiting(stage)).toBe(3)
  })

  it.each([
    ['a list', async (stage: RedisStage) => stage.keys.set('bad', 'x'), to('bad', 'next')],
    [
      'a set of delayed messages',
      async (stage: RedisStage) => stage.keys.set('_lovage.delayed.bad', 'x'),
      { ...to('bad', 'next'), delayMs: 60_000 },
    ],
  ])('leaves the claim whose follow-up it refuses, and sends nothing: %s', async (_what, spoil, followUp) => {
    await using stage = await openBad()
    const { broker, backend, keys } = stage
    await spoil(stage)
    await broker.publish([to('good', 'a'), to('good', 'b')])
    const options = { credit: 10, leaseMs: 30_000, results: backend.oneStep }
    const consumer = await broker.consume(['good'], options)
    const [first, second] = await take(consumer, 2)
    if (first === undefined || second === undefined) throw new RangeError('nothing came')

    const settling = consumer.settle?.([
      { delivery: first, publish: [to('good', 'follows the first')] },
      { delivery: second, publish: [to('good', 'follows'), followUp] },
    ])

    await expect(settling).rejects.toThrow('WRONGTYPE')
    expect(await waiting(stage)).toBe(0)
    expect(await keys.hlen('unacked')).toBe(2)
    expect(await consumer.ack([first, second])).toEqual([])
  })

  it('stores a result over what is no result, with the settlement', async () => {
    await using stage = await openBad()
    const { broker, backend, keys } = stage
    await broker.publish([to('good', 'a')])
    const consumer = await broker.consume(['good'], { credit: 10, leaseMs: 30_000, results: backend.oneStep })
    const [delivery] = await take(consumer, 1)
    if (delivery === undefined) throw new RangeError('nothing came')
    await keys.hset('celery-task-meta-x', 'no', 'result')

    const record = { taskId: 'x', state: 'SUCCESS', result: 1, children: [] } as const
    const settling = consumer.settle?.([{ delivery, publish: [to('good', 'next')], record }])

    expect(await settling).toEqual([])
    expect((await backend.load(['x'])).get('x')?.state).toBe('SUCCESS')
  })

  it('sends nothing of an occurrence of beat, which can be sent later', async () => {
    await using stage = await openBad()
    const { broker, keys } = stage
    const { schedules } = broker
    await schedules?.saveEntry('tick', { every: 1 })
    const occurrence = { id: 'tick@1000', entry: 'tick', scheduledAtMs: 1_000 }
    const messages = [to('good', 'a'), to('bad', 'b')]

    await expect(schedules?.claimOccurrence(occurrence, messages)).rejects.toThrow('WRONGTYPE')
    await expect(schedules?.claimOccurrence(occurrence, messages)).rejects.toThrow('WRONGTYPE')
    expect(await waiting(stage)).toBe(0)
    await keys.del('bad')

    expect(await schedules?.claimOccurrence(occurrence, messages)).toBe(true)
    expect(await schedules?.claimOccurrence(occurrence, messages)).toBe(false)
    expect([await keys.llen('good'), await keys.llen('bad')]).toEqual([1, 1])
  })

  it.each(['unacked', 'unacked_index'])('takes nothing where it is %s', async (name) => {
    await using stage = await openBad()
    const { broker, keys } = stage
    await broker.publish([to('good', 'a'), to('good', 'b')])
    await keys.set(name, 'of another application')
    const consumer = await consume(broker)
    const other = await broker.consume(['good'], { credit: 10, leaseMs: 30_000 })

    await expect(other.fetch(10, { waitMs: 0, signal: never })).rejects.toThrow('WRONGTYPE')

    expect(await waiting(stage)).toBe(2)
    await consumer.close()
  })
})

const withOwn = canStartRedis() ? describe : describe.skip

withOwn('an account that may not do everything', () => {
  it.each(['LTRIM', 'HSET', 'ZADD', 'SADD', 'LRANGE'])(
    'loses nothing when its worker claims without %s',
    async (command) => {
      await using own = await RedisServer.start()
      await using stage = await openStage(own.url)
      const { broker, keys } = stage
      await broker.declare({ name: 'good', lifetime: 'durable', bindings: [] })
      const consumer = await broker.consume(['good'], { credit: 100, leaseMs: 30_000 })
      await broker.publish(Array.from({ length: 20 }, (_, n) => to('good', String(n))))
      const waiting = await keys.lrange('good', 0, -1)
      await keys.call('ACL', 'SETUSER', 'default', `-${command.toLowerCase()}`)

      const claimed = await consumer.fetch(10, { waitMs: 0, signal: never }).catch(() => [])

      expect(claimed).toEqual([])
      await keys.call('ACL', 'SETUSER', 'default', '+@all')
      expect(await keys.lrange('good', 0, -1)).toEqual(waiting)
      expect(await keys.hlen('unacked')).toBe(0)
    },
  )

  it('sends what its account may send, and names the rest', async () => {
    await using own = await RedisServer.start()
    await using stage = await openStage(own.url)
    const { broker, keys, prefix } = stage
    for (const name of ['good', 'bad']) await broker.declare({ name, lifetime: 'durable', bindings: [] })
    const rules = ['resetkeys', ...['_lovage*', '_kombu*', 'good*'].map((name) => `~${prefix}${name}`)]
    await keys.call('ACL', 'SETUSER', 'default', ...rules)

    const sending = broker.publish([to('bad', '1'), to('good', '2')])

    await expect(sending).rejects.toMatchObject({ code: 'LOVAGE_PUBLISH', indexes: [0] })
    expect(await keys.llen('good')).toBe(1)
  })

  it.each(['SET', 'HDEL', 'LPUSH', 'GET'])(
    'neither settles nor loses a claim without %s, and settles it later',
    async (command) => {
      await using own = await RedisServer.start()
      await using stage = await openStage(own.url)
      const { broker, backend, keys } = stage
      await broker.declare({ name: 'good', lifetime: 'durable', bindings: [] })
      await broker.publish([to('good', 'a')])
      const options = { credit: 10, leaseMs: 30_000, results: backend.oneStep }
      const consumer = await broker.consume(['good'], options)
      const [delivery] = await take(consumer, 1)
      if (delivery === undefined) throw new RangeError('nothing came')
      const record = { taskId: 'x', state: 'SUCCESS', result: 1, children: [] } as const
      const settlement = { delivery, publish: [to('good', 'next')], record }
      await keys.call('ACL', 'SETUSER', 'default', `-${command.toLowerCase()}`)

      await expect(consumer.settle?.([settlement])).rejects.toThrow('The user executing the script')

      await keys.call('ACL', 'SETUSER', 'default', '+@all')
      expect([await keys.llen('good'), await keys.hlen('unacked')]).toEqual([0, 1])
      expect(await consumer.settle?.([settlement])).toEqual([])
      expect([await keys.llen('good'), await keys.hlen('unacked')]).toEqual([1, 0])
      expect((await backend.load(['x'])).get('x')?.state).toBe('SUCCESS')
    },
  )
})
