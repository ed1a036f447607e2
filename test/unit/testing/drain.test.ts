import { describe, expect, it } from '@jest/globals'

import { Ignore, Reject } from '../../../src/errors/directives.js'
import { drain, ManualClock, TestApp } from '../../../src/testing/index.js'

const nothing = { success: 0, failure: 0, retry: 0, ignored: 0, rejected: 0 }

describe('draining', () => {
  it('an empty queue runs nothing', async () => {
    await using app = new TestApp()

    expect(await drain(app)).toEqual(nothing)
  })

  it('runs everything that waits and counts how it ended', async () => {
    await using app = new TestApp()
    const work = app.task('tests.work', (how: string) => {
      if (how === 'fail') throw new RangeError('broken')
      if (how === 'ignore') throw new Ignore()
      if (how === 'reject') throw new Reject()
      return how
    })
    for (const how of ['fine', 'fail', 'fine', 'ignore', 'reject']) await work.delay(how)

    expect(await drain(app)).toEqual({ ...nothing, success: 2, failure: 1, ignored: 1, rejected: 1 })
    expect(await drain(app)).toEqual(nothing)
  })

  it('runs what tasks send in turn', async () => {
    await using app = new TestApp()
    const countDown = app.task('tests.countDown', async (from: number): Promise<void> => {
      if (from > 0) await app.sendTask('tests.countDown', { args: [from - 1] })
    })
    await countDown.delay(4)

    expect(await drain(app)).toEqual({ ...nothing, success: 5 })
  })

  it('stops after as many runs as the limit says', async () => {
    await using app = new TestApp()
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    for (let call = 0; call < 5; call += 1) await add.delay(call, call)

    expect(await drain(app, { limit: 2 })).toEqual({ ...nothing, success: 2 })
    expect(await drain(app)).toEqual({ ...nothing, success: 3 })
  })

  it('runs every queue that was sent to, unless queues are named', async () => {
    await using app = new TestApp()
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    await add.delay(1, 2)
    await add.applyAsync([1, 2], { queue: 'math' })
    await add.applyAsync([1, 2], { queue: 'slow' })

    expect(await drain(app, { queues: ['math'] })).toEqual({ ...nothing, success: 1 })
    expect(await drain(app)).toEqual({ ...nothing, success: 2 })
  })

  it('leaves what is delayed, unless it is told to move the clock', async () => {
    const clock = new ManualClock()
    await using app = new TestApp({}, { clock })
    const startMs = clock.now()
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    await add.applyAsync([1, 2], { countdown: { hours: 3 } })

    expect(await drain(app)).toEqual(nothing)
    expect(await drain(app, { withScheduled: true })).toEqual({ ...nothing, success: 1 })
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(3 * 3_600_000)
  })

  it('follows retries over hours in no time', async () => {
    const clock = new ManualClock()
    await using app = new TestApp({}, { clock })
    const flaky = app.task(
      { name: 'tests.flaky', bind: true, maxRetries: 3, defaultRetryDelay: { hours: 1 } },
      (self) => {
        if (self.request.retries < 3) throw self.retry()
        return 'at last'
      },
    )
    const result = await flaky.delay()

    expect(await drain(app, { withScheduled: true })).toEqual({ ...nothing, retry: 3, success: 1 })
    expect(await result.get(0)).toBe('at last')
  })

  it('refuses to move the clock of the machine', async () => {
    await using app = new TestApp()

    await expect(drain(app, { withScheduled: true })).rejects.toThrow(/ManualClock/)
  })
})
