import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { TimeLimitError } from '../../../src/index.js'
import { Bench, gate } from './harness.js'

describe('time limits on the event loop', () => {
  it('aborts the signal at the soft limit, and the body may end well', async () => {
    await using bench = new Bench()
    const reason = gate<unknown>()
    const slow = bench.app.task(
      { name: 'tasks.slow', bind: true, softTimeLimit: { milliseconds: 30 }, timeLimit: 20 },
      async (self) => {
        await new Promise((resolve) => {
          self.signal.addEventListener('abort', resolve)
        })
        reason.open(self.signal.reason)
        return 'cleaned up'
      },
    )
    await bench.start()

    const result = await slow.delay()

    expect(await result.get(5)).toBe('cleaned up')
    expect(await reason.passed).toMatchObject({ soft: true, code: 'LOVAGE_TIME_LIMIT' })
  })

  it('fails a body that lets the soft limit pass through', async () => {
    await using bench = new Bench()
    const slow = bench.app.task(
      { name: 'tasks.slow', bind: true, softTimeLimit: { milliseconds: 30 } },
      async (self) => {
        await new Promise((resolve) => self.signal.addEventListener('abort', resolve))
        throw self.signal.reason instanceof Error ? self.signal.reason : new TypeError('no reason')
      },
    )
    await bench.start()

    const record = await bench.record((await slow.delay()).id, 'FAILURE')

    expect(record.result).toMatchObject({
      exc_type: 'SoftTimeLimitExceeded',
      exc_module: 'billiard.exceptions',
    })
  })

  it('at the hard limit: FAILURE, a free slot, a leftover body whose return value is dropped', async () => {
    await using bench = new Bench()
    const may = gate()
    const stuck = bench.app.task({ name: 'tasks.stuck', timeLimit: { milliseconds: 30 } }, async () => {
      await may.passed
      return 'too late'
    })
    const quick = bench.app.task('tasks.quick', () => 'quick')
    const worker = await bench.start({ concurrency: 1 })

    const result = await stuck.delay()
    const record = await bench.record(result.id, 'FAILURE')
    expect(record.result).toEqual({
      exc_type: 'TimeLimitExceeded',
      exc_message: [0.03],
      exc_module: 'billiard.exceptions',
    })
    expect(await (await quick.delay()).get(5)).toBe('quick')
    expect(worker.status).toMatchObject({ running: 0, leftover: 1 })

    may.open()
    await eventually(() => (worker.status.leftover === 0 ? true : undefined))
    expect((await bench.recordNow(result.id))?.state).toBe('FAILURE')
  })

  it('tells a body that asks late why it was given up', async () => {
    await using bench = new Bench()
    const may = gate()
    const reason = gate<unknown>()
    const stuck = bench.app.task(
      { name: 'tasks.stuck', bind: true, timeLimit: { milliseconds: 20 } },
      async (self) => {
        await may.passed
        reason.open(self.signal.reason)
      },
    )
    await bench.start()

    await bench.record((await stuck.delay()).id, 'FAILURE')
    may.open()

    expect(await reason.passed).toBeInstanceOf(TimeLimitError)
  })

  it('delivers a timed-out task again when acksOnTimeout is off', async () => {
    await using bench = new Bench()
    let runs = 0
    const stuck = bench.app.task(
      { name: 'tasks.stuck', timeLimit: { milliseconds: 20 }, acksOnTimeout: false },
      async () => {
        runs += 1
        if (runs === 1) await new Promise(() => undefined)
        return runs
      },
    )
    await bench.start()

    expect(await (await stuck.delay()).get(5)).toBe(2)
  })

  it('lets the message override the limits of the task', async () => {
    await using bench = new Bench()
    const slow = bench.app.task({ name: 'tasks.slow', timeLimit: 20 }, () => new Promise(() => undefined))
    await bench.start()

    const result = await slow.applyAsync([], { timeLimit: { milliseconds: 20 } })

    expect((await bench.record(result.id, 'FAILURE')).result).toMatchObject({ exc_type: 'TimeLimitExceeded' })
  })
})
