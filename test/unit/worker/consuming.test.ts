import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { Lovage } from '../../../src/index.js'
import { Worker } from '../../../src/worker/index.js'
import { Bench, gate, turns } from './harness.js'

describe('what a worker claims', () => {
  it('runs as many tasks at once as it has slots, and never more', async () => {
    await using bench = new Bench()
    let now = 0
    let most = 0
    const may = gate()
    const busy = bench.app.task('tasks.busy', async () => {
      now += 1
      most = Math.max(most, now)
      await may.passed
      await turns(2)
      now -= 1
    })
    await bench.start({ concurrency: 7 })

    const results = await Promise.all(Array.from({ length: 100 }, () => busy.delay()))
    await eventually(() => now >= 7)
    await turns()
    may.open()
    for (const result of results) await result.get(10)

    expect(most).toBe(7)
  })

  it('runs solo tasks one by one', async () => {
    await using bench = new Bench()
    let now = 0
    let most = 0
    const busy = bench.app.task('tasks.busy', async () => {
      now += 1
      most = Math.max(most, now)
      await turns(2)
      now -= 1
    })
    await bench.start({ pool: 'solo', concurrency: 10 })

    const results = await Promise.all(Array.from({ length: 10 }, () => busy.delay()))
    for (const result of results) await result.get(10)

    expect(most).toBe(1)
  })

  it('leaves to others what it has no slot for', async () => {
    await using bench = new Bench()
    const may = gate()
    const slow = bench.app.task('tasks.slow', async () => {
      await may.passed
    })
    const worker = await bench.start({ concurrency: 2 })

    const results = await Promise.all(Array.from({ length: 10 }, () => slow.delay()))
    await eventually(() => (worker.status.running === 2 ? true : undefined))
    await turns()

    expect(worker.status.buffered).toBe(0)
    expect(await bench.depth()).toBe(8)
    may.open()
    for (const result of results) await result.get(10)
  })

  it('gives back what it read ahead when long tasks follow short ones', async () => {
    await using bench = new Bench()
    const may = gate()
    const task = bench.app.task('tasks.mixed', async (isLong: boolean) => {
      if (isLong) await may.passed
    })
    const worker = await bench.start({ concurrency: 2 })
    const short = await Promise.all(Array.from({ length: 50 }, () => task.delay(false)))
    for (const result of short) await result.get(10)

    const long = await Promise.all(Array.from({ length: 20 }, () => task.delay(true)))
    await eventually(async () => ((await bench.depth()) === 18 ? true : undefined))

    expect(worker.status).toMatchObject({ running: 2, buffered: 0 })
    may.open()
    for (const result of long) await result.get(10)
  })

  it('never holds more unsettled claims than the prefetch multiplier allows', async () => {
    await using bench = new Bench()
    const may = gate()
    const task = bench.app.task('tasks.mixed', async (isLong: boolean) => {
      if (isLong) await may.passed
    })
    await bench.start({ concurrency: 3, prefetchMultiplier: 2 })
    const short = await Promise.all(Array.from({ length: 50 }, () => task.delay(false)))
    for (const result of short) await result.get(10)

    const long = await Promise.all(Array.from({ length: 20 }, () => task.delay(true)))
    const depths: number[] = []
    for (let look = 0; look < 100; look += 1) depths.push(await bench.depth())
    may.open()
    for (const result of long) await result.get(10)

    expect(Math.min(...depths)).toBeGreaterThanOrEqual(14)
  })

  it('consumes the chosen queues only', async () => {
    await using bench = new Bench({ taskQueues: ['a', 'b', 'c'] })
    const task = bench.app.task('tasks.where', (queue: string) => queue)
    await bench.start({ queues: ['a', 'b'], excludeQueues: ['b'] })

    const [a, b] = [
      await task.applyAsync(['a'], { queue: 'a' }),
      await task.applyAsync(['b'], { queue: 'b' }),
    ]
    expect(await a.get(5)).toBe('a')

    expect(await bench.recordNow(b.id)).toBeUndefined()
    expect(await bench.depth('b')).toBe(1)
  })

  it('refuses an unknown queue when missing ones are not created', async () => {
    await using bench = new Bench({
      taskQueues: ['orders'],
      taskDefaultQueue: 'orders',
      taskCreateMissingQueues: false,
    })

    expect(() => bench.worker({ queues: ['ordres'] })).toThrow(/did you mean "orders"/)
  })

  it('refuses options out of range', async () => {
    await using bench = new Bench()

    expect(() => bench.worker({ concurrency: 0 })).toThrow(/concurrency/)
    expect(() => bench.worker({ pool: 'asnyc' })).toThrow(/did you mean "async"/)
    expect(() => bench.worker({ prefetchMultiplier: -1 })).toThrow(/prefetchMultiplier/)
    expect(() => bench.worker({ excludeQueues: ['celery'] })).toThrow(/no queue is left/)
  })

  it('drops what waits when told to purge', async () => {
    await using bench = new Bench()
    const task = bench.app.task('tasks.old', () => 1)
    const old = await task.delay()

    await bench.start({ purge: true })
    const fresh = await task.delay()

    expect(await fresh.get(5)).toBe(1)
    expect(await bench.recordNow(old.id)).toBeUndefined()
  })

  it('shows what it is in its banner', async () => {
    await using bench = new Bench()
    bench.app.task('tasks.b', () => 1)
    bench.app.task('tasks.a', () => 1)

    const banner = bench.worker({ hostname: 'one@box', concurrency: 3 }).banner

    expect(banner).toMatchObject({
      hostname: 'one@box',
      app: 'shop',
      concurrency: 3,
      pool: 'async',
      queues: [{ name: 'celery', exchange: 'celery', exchangeType: 'direct', routingKey: 'celery' }],
      tasks: ['tasks.a', 'tasks.b'],
    })
  })

  it.each([
    ['redis://:hunter2@localhost/0', 'redis://:**@localhost/0'],
    ['amqp://me:hunter2@localhost//', 'amqp://me:**@localhost//'],
    ['postgresql://me@localhost/db?password=hunter2', 'postgresql://me@localhost/db?password=**'],
  ])('masks the secrets of %s in its banner', async (url, masked) => {
    await using app = new Lovage('shop', { broker: url, backend: 'redis://:hunter3@localhost/1' })
    await using worker = new Worker(app)

    expect(worker.banner).toMatchObject({ transport: masked, results: 'redis://:**@localhost/1' })
  })

  it.each(['prefork', 'processes', 'threads'] as const)(
    'runs on the event loop where the pool %s was asked for, and warns',
    async (pool) => {
      await using bench = new Bench({ workerPool: pool })
      const task = bench.app.task('tasks.pool', () => 1)
      const worker = await bench.start()

      expect(worker.banner).toMatchObject({ pool: 'async', concurrency: 10 })
      expect(await (await task.delay()).get(5)).toBe(1)
      expect(
        bench.log.find(/^there is no pool "(processes|threads)".* yet: tasks run on the event loop/),
      ).toMatchObject({
        level: 'warn',
      })
      expect(bench.worker({ pool }).banner.pool).toBe('async')
    },
  )

  it('names the task that blocked the event loop', async () => {
    await using bench = new Bench()
    const block = bench.app.task('tasks.block', () => {
      // The thread stands still: the watch of the event loop measures real time.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_700)
    })
    await bench.start()

    const result = await block.delay()
    const line = await eventually(() => bench.log.find(/event loop was blocked/))

    expect(line.message).toContain(`tasks.block[${result.id}]`)
  })
})
