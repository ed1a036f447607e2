import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'

import type { ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import { TaskRevokedError } from '../../../src/index.js'
import type { StandardSchema } from '../../../src/task/schema.js'
import { drain, ManualClock, TestApp } from '../../../src/testing/index.js'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'
import { resolveSettings } from '../../../src/worker/settings.js'
import { Bench, gate } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

describe('settings of a worker', () => {
  it.each([
    [true, true],
    [false, false],
  ])('task_acks_late: %s, an interrupted task is handed back: %s', async (acksLate, handedBack) => {
    await using bench = new Bench()
    bench.app.conf.update({ task_acks_late: acksLate })
    const started = gate()
    const endless = gate()
    const task = bench.app.task('tasks.endless', () => {
      started.open()
      return endless.passed
    })
    const worker = await bench.start()
    await task.delay()
    await started.passed

    const exit = await worker.stop({ hard: true })

    expect(exit.interrupted).toMatchObject([{ task: 'tasks.endless', handedBack }])
    expect(await bench.depth()).toBe(handedBack ? 1 : 0)
  })

  it.each([true, false])('taskStoreErrorsEvenIfIgnored: %s', async (stores) => {
    await using bench = new Bench({ taskIgnoreResult: true, taskStoreErrorsEvenIfIgnored: stores })
    const fail = bench.app.task('tasks.fail', () => {
      throw new RangeError('no such parcel')
    })
    const kept = bench.app.task({ name: 'tasks.kept', ignoreResult: false }, () => 1)
    const worker = await bench.start({ concurrency: 1 })

    const failed = await fail.delay()
    await (await kept.delay()).get(5)
    await worker.stop()

    expect((await bench.recordNow(failed.id))?.state).toBe(stores ? 'FAILURE' : undefined)
  })

  it.each([
    [true, 1, 'FAILURE'],
    [false, 2, 'SUCCESS'],
  ])('taskAcksOnTimeout: %s, a task that passed its hard limit runs %s times', async (acks, runs, state) => {
    await using bench = new Bench({ taskAcksOnTimeout: acks })
    let count = 0
    const slow = bench.app.task({ name: 'tasks.slow', timeLimit: { milliseconds: 30 } }, async () => {
      count += 1
      if (count === 1) await new Promise(() => undefined)
      return count
    })
    await bench.start()

    const result = await slow.delay()

    expect((await bench.record(result.id, 'SUCCESS', 'FAILURE')).state).toBe(state)
    expect(count).toBe(runs)
  })

  it.each<[ConfigInput, number]>([
    [{ taskAcksOnFailure: true }, 0],
    [{ taskAcksOnFailure: false }, 1],
    [{ taskAcksOnFailureOrTimeout: false }, 1],
  ])('of %j, failed messages that are set aside: %s', async (input, letters) => {
    await using bench = new Bench(input)
    const fail = bench.app.task('tasks.fail', () => {
      throw new RangeError('no such parcel')
    })
    const worker = await bench.start()

    await bench.record((await fail.delay()).id, 'FAILURE')
    await worker.stop()

    expect(await bench.take('celery.dead')).toHaveLength(letters)
  })

  it.each<[ConfigInput, string]>([
    [{ taskTimeLimit: { milliseconds: 20 } }, 'TimeLimitExceeded'],
    [{ taskSoftTimeLimit: { milliseconds: 20 } }, 'SoftTimeLimitExceeded'],
  ])('of %j, a task that takes too long fails with %s', async (input, type) => {
    await using bench = new Bench(input)
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
      await new Promise((_resolve, reject) => {
        self.signal.addEventListener('abort', () => {
          if (type === 'SoftTimeLimitExceeded') reject(Object(self.signal.reason))
        })
      })
    })
    await bench.start()

    const record = await bench.record((await slow.delay()).id, 'FAILURE')

    expect(record.result).toMatchObject({ exc_type: type })
  })

  it.each<[ConfigInput, number]>([
    [{ workerConcurrency: 3 }, 3],
    [{ workerConcurrency: 3, workerPrefetchMultiplier: 1 }, 3],
    [{ workerConcurrency: 2, workerDisablePrefetch: true, workerPrefetchMultiplier: 8 }, 2],
  ])('of %j, tasks that run at once: %s', async (input, running) => {
    await using bench = new Bench(input)
    const may = gate()
    const task = bench.app.task('tasks.busy', () => may.passed)
    await Promise.all(Array.from({ length: 20 }, () => task.delay()))

    const worker = await bench.start()
    await eventually(() => (worker.status.running === running ? true : undefined))

    expect(worker.status.running).toBe(running)
    may.open()
  })

  it.each<[ConfigInput, number, number]>([
    [{ workerPrefetchMultiplier: 4 }, 3, 8],
    [{ workerPrefetchMultiplier: 1 }, 2, 2],
    [{ workerPrefetchMultiplier: 4, workerDisablePrefetch: true }, 2, 2],
  ])('of %j, two slots hold at least %s and at most %s', async (input, least, most) => {
    await using bench = new Bench({ workerConcurrency: 2, ...input })
    const may = gate()
    const task = bench.app.task('tasks.mixed', async (isLong: boolean) => {
      if (isLong) await may.passed
    })
    await bench.start()
    // Only quick tasks are read ahead.
    const short = await Promise.all(Array.from({ length: 50 }, () => task.delay(false)))
    for (const result of short) await result.get(10)

    const long = await Promise.all(Array.from({ length: 20 }, () => task.delay(true)))
    let held = 0
    for (let look = 0; look < 100; look += 1) held = Math.max(held, long.length - (await bench.depth()))
    may.open()
    for (const result of long) await result.get(10)

    expect(held).toBeGreaterThanOrEqual(least)
    expect(held).toBeLessThanOrEqual(most)
  })

  it.each<[ConfigInput, number]>([
    [{}, 66],
    [{ readAhead: { milliseconds: 10 } }, 18],
    [{ readAhead: 0 }, 2],
  ])('of %j, short tasks that one look claims into two free slots: %s', (input, claimed) => {
    const options = resolveSettings(
      resolveConfig({ workerConcurrency: 2, workerPrefetchMultiplier: 0, ...input }),
    )
    const readAhead = new ReadAhead(options)
    for (let task = 0; task < 200; task += 1) readAhead.observe(1)

    expect(new ClaimWindow({ ...options, readAhead }).room()).toBe(claimed)
  })

  it('the lease is that of the claims, in milliseconds', async () => {
    const leases: number[] = []
    await using bench = new Bench({ lease: 7 })
    const open = internalsOf(bench.app).openBroker.bind(internalsOf(bench.app))
    internalsOf(bench.app).openBroker = async () => {
      const broker = await open()
      const consume = broker.consume.bind(broker)
      return Object.assign(broker, {
        consume: (...[queues, options]: Parameters<typeof consume>) => {
          leases.push(options.leaseMs)
          return consume(queues, options)
        },
      })
    }
    await bench.start()

    expect(leases).toEqual([7_000])
  })

  it('delay: eta sends a delayed task at once, with its moment; store keeps it until it is due', async () => {
    const ready = async (delay: 'eta' | 'store'): Promise<number> => {
      await using bench = new Bench({ delay })
      await bench.app.sendTask('tasks.later', { countdown: 60 })
      return await bench.depth()
    }

    expect([await ready('eta'), await ready('store')]).toEqual([1, 0])
  })

  it.each([
    [true, 7],
    [false, undefined],
  ])('taskInheritParentPriority: %s, the priority of a child is %s', async (inherits, priority) => {
    await using bench = new Bench({ taskInheritParentPriority: inherits })
    const child = bench.app.task({ name: 'tasks.child', queue: 'children' }, () => undefined)
    const parent = bench.app.task('tasks.parent', async () => {
      await child.delay()
    })
    await bench.start()

    await (await parent.applyAsync([], { priority: 7 })).get(5)
    const [sent] = await bench.take('children')

    expect(sent?.message.properties.priority).toBe(priority)
  })

  it('resultFailureExpires: a failure is forgotten while a success of the same age is kept', async () => {
    const clock = new ManualClock()
    await using app = new TestApp(
      { resultExpires: { hours: 2 }, resultFailureExpires: { hours: 1 } },
      { clock },
    )
    const fail = app.task('tasks.fail', () => {
      throw new RangeError('no such parcel')
    })
    const done = app.task('tasks.done', () => 1)
    const results = [await fail.delay(), await done.delay()] as const
    await drain(app)
    const states = async (): Promise<string[]> =>
      Promise.all(results.map(({ id }) => app.AsyncResult(id).state()))

    const atFirst = await states()
    await clock.advance({ minutes: 61 })
    const later = await states()

    expect([atFirst, later]).toEqual([
      ['FAILURE', 'SUCCESS'],
      ['PENDING', 'SUCCESS'],
    ])
  })

  it('the result schema of a task refuses a value that does not fit, and gives the value it makes', async () => {
    const doubled: StandardSchema<unknown, number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          typeof value === 'number' ? { value: value * 2 } : { issues: [{ message: 'not a number' }] },
      },
    }
    await using bench = new Bench()
    const task = bench.app.task(
      { name: 'tasks.checked', result: doubled },
      (value: unknown) => value as never,
    )
    await bench.start()

    expect(await (await task.delay(21)).get(5)).toBe(42)
    const refused = await task.delay('x')

    expect((await bench.record(refused.id, 'FAILURE')).result).toMatchObject({
      exc_message: [expect.stringContaining('not a number')],
    })
  })

  it('expires as the task says: a call that waited longer does not run', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({}, clock)
    const ran: string[] = []
    const task = bench.app.task({ name: 'tasks.late', expires: { milliseconds: 1 } }, () => ran.push('late'))
    const result = await task.delay()
    await clock.advance(1)
    await bench.start()

    await expect(result.get(5)).rejects.toBeInstanceOf(TaskRevokedError)
    expect(ran).toEqual([])
  })
})
