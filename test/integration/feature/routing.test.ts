import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'

import { QueueNotFoundError, TaskRevokedError } from '../../../src/index.js'
import type { PreparedCall } from '../../../src/task/sender.js'
import { Stage, type Store } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

const STORES: readonly Store[] = ['memory', 'sqlite']

describe.each(STORES)('routing to a worker on %s', (store) => {
  it('a call option beats the task, which beats the route, which beats the default', async () => {
    await using stage = await Stage.open(store, {
      taskRoutes: { 'feed.*': { queue: 'feeds', priority: 7 }, 'feed.exact': 'exact' },
    })
    const where = (): void => undefined
    const routed = stage.app.task('feed.routed', where)
    const exact = stage.app.task('feed.exact', where)
    const own = stage.app.task({ name: 'feed.own', queue: 'own' }, where)
    const plain = stage.app.task('shop.plain', where)

    await routed.delay()
    await exact.delay()
    await own.delay()
    await own.applyAsync([], { queue: 'call' })
    await plain.delay()

    const depths = await Promise.all(
      ['feeds', 'exact', 'own', 'call', 'celery'].map(async (name) => stage.depth(name)),
    )
    expect(depths).toEqual([1, 1, 1, 1, 1])
  })

  it('the options of a route act on the messages it routes', async () => {
    await using stage = await Stage.open(store, {
      acceptContent: ['json', 'yaml'],
      taskRoutes: {
        'feed.late': { queue: 'feeds', expires: { milliseconds: 1 } },
        'feed.slow': { queue: 'feeds', softTimeLimit: { milliseconds: 20 } },
        'feed.raw': { serializer: 'yaml', compression: 'gzip', headers: { tenant: 'a' }, shadow: 'shown' },
      },
    })
    const late = stage.app.task('feed.late', () => 'ran')
    const slow = stage.app.task({ name: 'feed.slow', bind: true }, async (self) => {
      await new Promise((resolve) => self.signal.addEventListener('abort', resolve, { once: true }))
      throw self.signal.reason
    })
    const raw = stage.app.task({ name: 'feed.raw', bind: true }, (self) => self.request.headers['tenant'])
    const published: PreparedCall[] = []
    internalsOf(stage.app).around.publish.push(async (call, next) => {
      published.push(call)
      await next(call)
    })
    const sent = await late.delay()
    const limited = await slow.delay()
    const written = await raw.delay()
    await eventually(() => Date.now() > (published[0]?.task.expiresMs ?? Infinity))

    await stage.work({ queues: ['feeds', 'celery'] })

    expect(await sent.get(5).catch((error: unknown) => error)).toBeInstanceOf(TaskRevokedError)
    expect(await limited.get(5).catch((error: unknown) => error)).toMatchObject({
      message: 'soft time limit of 0.02s passed',
    })
    expect(await written.get(5)).toBe('a')
    expect(published[2]?.outgoing.message).toMatchObject({
      contentType: 'application/x-yaml',
      headers: { compression: 'application/x-gzip', shadow: 'shown' },
    })
  })

  it('queues that share a topic exchange get the tasks that are sent to them, and no others', async () => {
    await using stage = await Stage.open(store, {
      taskQueues: ['celery', 'mail', 'slow'],
      taskDefaultExchange: 'tasks',
      taskDefaultExchangeType: 'topic',
    })
    const where = stage.app.task('shop.where', () => undefined)
    const broker = await internalsOf(stage.app).broker()
    for (const queue of internalsOf(stage.app).queues()) await broker.declare(queue)

    await where.applyAsync([], { queue: 'mail' })
    await where.delay()

    expect([await stage.depth('celery'), await stage.depth('mail'), await stage.depth('slow')]).toEqual([
      1, 1, 0,
    ])
  })

  it('topic, fanout and direct exchanges reach the queues that are bound to them', async () => {
    await using stage = await Stage.open(store, {
      taskQueues: [
        { name: 'mail', exchange: 'events', exchangeType: 'topic', routingKey: 'order.*' },
        { name: 'audit', exchange: 'events', exchangeType: 'topic', routingKey: 'order.#' },
        { name: 'news-a', exchange: 'news', exchangeType: 'fanout' },
        { name: 'news-b', exchange: 'news', exchangeType: 'fanout' },
        { name: 'direct', exchange: 'plain', exchangeType: 'direct', routingKey: 'key' },
      ],
      taskDefaultQueue: 'direct',
    })
    const seen: string[] = []
    const note = stage.app.task({ name: 'shop.note', bind: true }, (self, text: string) => {
      seen.push(`${text} ${self.request.deliveryInfo.queue}`)
    })
    await stage.work()

    await note.applyAsync(['one word'], { exchange: 'events', routingKey: 'order.paid' })
    await note.applyAsync(['two words'], { exchange: 'events', routingKey: 'order.paid.late' })
    await note.applyAsync(['all'], { exchange: 'news', routingKey: 'whatever' })
    await note.delay('default')

    await eventually(() => seen.length >= 6)
    expect(seen.toSorted()).toEqual([
      'all news-a',
      'all news-b',
      'default direct',
      'one word audit',
      'one word mail',
      'two words audit',
    ])
  })

  it('a worker serves the queues that were chosen, and no others', async () => {
    await using stage = await Stage.open(store, { taskQueues: ['celery', 'mail', 'slow'] })
    const where = stage.app.task(
      { name: 'shop.where', bind: true },
      (self) => self.request.deliveryInfo.queue,
    )
    const slow = await where.applyAsync([], { queue: 'slow' })
    const other = await where.applyAsync([], { queue: 'other' })
    const mail = await where.applyAsync([], { queue: 'mail' })

    await stage.work({ excludeQueues: ['slow'] })
    expect(await mail.get(5)).toBe('mail')
    expect([await slow.state(), await other.state()]).toEqual(['PENDING', 'PENDING'])
    await stage.work({ queues: ['slow', 'other'] })

    expect([await slow.get(5), await other.get(5)]).toEqual(['slow', 'other'])
  })

  it('a mistyped queue is refused where missing ones are not created', async () => {
    await using stage = await Stage.open(store, {
      taskQueues: ['celery', 'mail'],
      taskCreateMissingQueues: false,
    })
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)

    await expect(add.applyAsync([1, 2], { queue: 'mial' })).rejects.toThrow(QueueNotFoundError)
    await expect(add.applyAsync([1, 2], { queue: 'mial' })).rejects.toThrow('did you mean "mail"')
  })
})
