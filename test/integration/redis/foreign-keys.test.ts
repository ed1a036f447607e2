import { gzipSync } from 'node:zlib'
import { describe, expect, it, jest } from '@jest/globals'
import { textsOf } from '../../conformance/broker/stage.js'
import { outgoing, take } from '../../support/messages.js'
import { consume, openStage, server } from './stage.js'
import type { TaskRecord } from '../../../src/backend/contract.js'

jest.setTimeout(30_000)

/** As kombu 5.7 puts it into a list. */
function foreign(text: string, priority = 0): string {
  return JSON.stringify({
    body: Buffer.from(text).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'text/plain',
    headers: {},
    properties: {
      delivery_mode: 2,
      delivery_info: { exchange: '', routing_key: 'celery' },
      priority,
      body_encoding: 'base64',
      delivery_tag: `tag-${text}`,
    },
  })
}

/** As Celery 5.7 stores it with `result_compression`. */
function compressed(status: string): Buffer {
  const document = {
    status,
    result: 'of Python',
    traceback: null,
    children: [],
    date_done: null,
    task_id: 'x',
  }
  const head = Buffer.from('\0celery-compressed\0application/x-gzip\0', 'latin1')
  return Buffer.concat([head, gzipSync(JSON.stringify(document))])
}

const failure: TaskRecord = {
  taskId: 'x',
  state: 'FAILURE',
  result: { exc_type: 'Error', exc_message: ['late'], exc_module: 'builtins' },
  children: [],
}

const withServer = server === '' ? describe.skip : describe

withServer('the keys of kombu', () => {
  it.each([
    ['priority', ['b1', 'b2', 'b3', 'a1', 'a2', 'a3']],
    ['sorted', ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']],
    ['round_robin', ['b1', 'b2', 'a1', 'a2', 'a3', 'b3']],
  ])('serve several queues in the order that queue_order_strategy names: %s', async (strategy, wanted) => {
    await using stage = await openStage(server, { queue_order_strategy: strategy })
    const { broker } = stage
    for (const queue of ['a', 'b']) {
      await broker.declare({ name: queue, lifetime: 'durable', bindings: [] })
      const route = { exchange: '', routingKey: queue }
      await broker.publish([1, 2, 3].map((n) => ({ ...outgoing('celery', `${queue}${String(n)}`), route })))
    }
    const consumer = await broker.consume(['b', 'a'], { credit: 100, leaseMs: 30_000 })

    const texts = [...textsOf(await take(consumer, 4)), ...textsOf(await take(consumer, 2))]
    expect(texts).toEqual(wanted)
  })

  it('have no other order of queues', async () => {
    await expect(openStage(server, { queue_order_strategy: 'random' })).rejects.toThrow(
      'expected option "queue_order_strategy" to be round_robin, priority or sorted, got: "random"',
    )
  })

  it('hold priorities in steps of three, and 0 is served first', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const consumer = await consume(broker)
    const order = [9, 8, 5, 3, 2, 0]
    for (const priority of order)
      await broker.publish([outgoing('celery', String(priority), { properties: { priority: priority } })])

    const lists = ['celery', 'celery\u0006\u00163', 'celery\u0006\u00166', 'celery\u0006\u00169']
    expect(await Promise.all(lists.map((list) => keys.llen(list)))).toEqual([2, 2, 1, 1])
    expect(textsOf(await take(consumer, 6))).toEqual(['2', '0', '5', '3', '8', '9'])
  })

  it('hold what another client pushed into the list of a step', async () => {
    await using stage = await openStage()
    const consumer = await consume(stage.broker)
    await stage.keys.lpush('celery\u0006\u00166', foreign('later', 7))
    await stage.keys.lpush('celery', foreign('first'))

    expect(textsOf(await take(consumer, 2))).toEqual(['first', 'later'])
  })

  it('have other steps and another separator where the options say so', async () => {
    await using stage = await openStage(server, { priority_steps: [0, 5], sep: ':' })
    const consumer = await consume(stage.broker)
    await stage.broker.publish([outgoing('celery', 'later', { properties: { priority: 9 } })])

    expect(await stage.keys.llen('celery:5')).toBe(1)
    expect(textsOf(await take(consumer, 1))).toEqual(['later'])
  })

  it('hold the claims of other workers, which are left alone until their visibility timeout', async () => {
    await using stage = await openStage(server, { visibility_timeout: 3600 })
    const { broker, keys } = stage
    const nowS = Date.now() / 1000
    await keys.hset('unacked', 'held', JSON.stringify([JSON.parse(foreign('held')), '', 'celery']))
    // For longer than the lease of any claim of Lovage here.
    await keys.zadd('unacked_index', nowS - 1_800, 'held')
    const consumer = await consume(broker, { leaseMs: 300 })

    expect(await take(consumer, 1, 1_500)).toEqual([])
    expect(await keys.hexists('unacked', 'held')).toBe(1)
    expect(await keys.zscore('unacked_index', 'held')).not.toBeNull()
  })

  it('hold claims of Lovage in the form that another worker restores, scored by the end of the lease', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const consumer = await consume(broker, { leaseMs: 60_000 })
    await broker.publish([outgoing('celery', 'mine', { properties: { priority: 4 } })])
    const [claimed] = await take(consumer, 1)

    const tag = claimed?.tag ?? ''
    expect(tag).toMatch(/^lovage-/)
    expect(JSON.parse((await keys.hget('unacked', tag)) ?? '')).toEqual([
      expect.objectContaining({ body: Buffer.from('mine').toString('base64') }),
      '',
      'celery',
    ])
    expect(Number(await keys.zscore('unacked_index', tag))).toBeGreaterThan(Date.now() / 1000 + 50)
    await consumer.ack(claimed === undefined ? [] : [claimed])
    expect(await keys.exists('unacked', 'unacked_index')).toBe(0)
  })

  it('lose a claim that another worker restored: the first owner is told so', async () => {
    await using stage = await openStage()
    const { broker, keys } = stage
    const consumer = await consume(broker)
    await broker.publish([outgoing('celery', 'mine')])
    const claimed = await take(consumer, 1)
    const tag = claimed[0]?.tag ?? ''
    const [envelope] = JSON.parse((await keys.hget('unacked', tag)) ?? '[]') as readonly unknown[]
    await keys
      .multi()
      .zrem('unacked_index', tag)
      .hdel('unacked', tag)
      .rpush('celery', JSON.stringify(envelope))
      .exec()

    expect(await consumer.ack(claimed)).toEqual(claimed)
    expect(textsOf(await take(consumer, 1))).toEqual(['mine'])
  })

  it('hold a compressed success, which is not replaced, and other compressed states, which are', async () => {
    await using stage = await openStage()
    const { broker, backend, keys } = stage
    const consumer = await consume(broker, { results: backend.oneStep })
    await broker.publish([outgoing('celery', 'one'), outgoing('celery', 'two')])
    const [one, two] = await take(consumer, 2)
    if (one === undefined || two === undefined || consumer.settle === undefined)
      throw new RangeError('nothing')
    const state = async (): Promise<string | undefined> => (await backend.load(['x'])).get('x')?.state
    const ended = { publish: [], record: failure, recordTtlMs: 60_000 }

    await keys.set('celery-task-meta-x', compressed('SUCCESS'))
    await backend.store([failure], { ttlMs: 60_000 })
    const afterStore = await state()
    await consumer.settle([{ delivery: one, ...ended }])
    const afterSettle = await state()
    await keys.set('celery-task-meta-x', compressed('STARTED'))
    await consumer.settle([{ delivery: two, ...ended }])

    expect([afterStore, afterSettle, await state()]).toEqual(['SUCCESS', 'SUCCESS', 'FAILURE'])
    await keys.set('celery-task-meta-x', compressed('RETRY'))
    await backend.store([failure], { ttlMs: 60_000 })
    expect(await state()).toBe('FAILURE')
    expect(await keys.exists('unacked')).toBe(0)
  })
})

withServer('a queue that the server has lost', () => {
  it('is declared again by whoever sends to it, and its consumer goes on', async () => {
    await using stage = await openStage()
    const { broker, backend, keys } = stage
    const consumer = await consume(broker, { results: backend.oneStep })
    const binding = { exchange: 'shop', routingKey: 'orders.#', type: 'topic' } as const
    await broker.declare({ name: 'celery', lifetime: 'durable', bindings: [binding] })
    const routed = { ...outgoing('celery', 'routed'), route: { exchange: 'shop', routingKey: 'orders.new' } }

    await keys.del('_kombu.binding.shop', '_lovage.queues')
    await broker.publish([routed, outgoing('celery', 'direct'), routed])
    expect(textsOf(await take(consumer, 3))).toEqual(['routed', 'direct', 'routed'])

    await keys.del('_kombu.binding.shop', '_lovage.queues')
    await broker.publish([outgoing('celery', 'first')])
    const [delivery] = await take(consumer, 1)
    await keys.del('_kombu.binding.shop', '_lovage.queues')
    if (delivery === undefined || consumer.settle === undefined) throw new RangeError('nothing came')
    expect(await consumer.settle([{ delivery, publish: [outgoing('celery', 'next')] }])).toEqual([])
    expect(textsOf(await take(consumer, 1))).toEqual(['next'])
  })

  it('is not there again when this program deleted it', async () => {
    await using stage = await openStage()
    await consume(stage.broker)
    await stage.broker.delete('celery')

    await expect(stage.broker.publish([outgoing('celery', 'lost')])).rejects.toMatchObject({
      code: 'LOVAGE_PUBLISH',
    })
  })
})

withServer('scripts', () => {
  it('are sent again when the server has forgotten them', async () => {
    await using stage = await openStage()
    const { broker, backend, keys } = stage
    const consumer = await consume(broker)
    await broker.publish([outgoing('celery', 'one')])

    await keys.script('FLUSH')
    const claimed = await take(consumer, 1)
    await keys.script('FLUSH')
    expect(await consumer.ack(claimed)).toEqual([])
    await keys.script('FLUSH')
    await broker.publish([outgoing('celery', 'two')])
    await keys.script('FLUSH')
    await backend.store([failure], { ttlMs: 1_000 })

    expect(textsOf(await take(consumer, 1))).toEqual(['two'])
  })
})
