import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { WorkerShutdownError } from '../../../src/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { Bench, gate, timedBy, turns } from './harness.js'

describe('the end of a worker', () => {
  it('lets running tasks finish and gives back what has not begun, unspent', async () => {
    await using bench = new Bench()
    const may = gate()
    const counts: number[] = []
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self, id: number) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
      await may.passed
      return id
    })
    const worker = await bench.start({ concurrency: 1 })
    const [first, second] = [await slow.delay(1), await slow.delay(2)]
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    const stopping = worker.stop()
    may.open()
    const exit = await stopping

    expect(exit).toEqual({ reason: 'stopped', interrupted: [], leftover: 0 })
    expect(await first.get(1)).toBe(1)
    expect(await bench.recordNow(second.id)).toBeUndefined()
    await bench.start({ concurrency: 1 })
    expect(await second.get(5)).toBe(2)
    expect(counts).toEqual([1, 1])
  })

  it('aborts what does not finish in time and gives it back without spending a delivery', async () => {
    await using bench = new Bench()
    const reasons: unknown[] = []
    const counts: number[] = []
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
      if (counts.length > 1) return 'second worker'
      await new Promise((_, reject) => {
        self.signal.addEventListener('abort', () => {
          reasons.push(self.signal.reason)
          reject(new TypeError('cut short'))
        })
      })
      return 'never'
    })
    const worker = await bench.start({ shutdownTimeout: { milliseconds: 30 } })
    const result = await slow.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    const exit = await worker.stop()

    expect(exit.interrupted).toEqual([
      { id: result.id, task: 'tasks.slow', queue: 'celery', handedBack: true },
    ])
    expect(reasons[0]).toBeInstanceOf(WorkerShutdownError)
    expect(await bench.recordNow(result.id)).toBeUndefined()
    await bench.start()
    expect(await result.get(5)).toBe('second worker')
    expect(counts).toEqual([1, 1])
  })

  it('gives back a body that does not hear its signal, and ignores what it returns later', async () => {
    await using bench = new Bench()
    const may = gate()
    let runs = 0
    const deaf = bench.app.task('tasks.deaf', async () => {
      runs += 1
      if (runs === 1) await may.passed
      return runs
    })
    const worker = await bench.start({ shutdownTimeout: 0 })
    const result = await deaf.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    const exit = await worker.stop({ hard: true })
    expect(exit.interrupted).toMatchObject([{ id: result.id, handedBack: true }])
    await bench.start()
    expect(await result.get(5)).toBe(2)
    may.open()
    await turns()

    expect((await bench.recordNow(result.id))?.result).toBe(2)
  })

  it('still stores a success that comes after the abort', async () => {
    await using bench = new Bench()
    const tidy = bench.app.task({ name: 'tasks.tidy', bind: true }, async (self) => {
      await new Promise((resolve) => {
        self.signal.addEventListener('abort', resolve)
      })
      return 'saved'
    })
    const worker = await bench.start({ shutdownTimeout: { milliseconds: 20 } })
    const result = await tidy.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    const exit = await worker.stop()

    expect(exit.interrupted).toEqual([])
    expect(await result.get(1)).toBe('saved')
  })

  it('does not wait for running tasks after a second, hard stop', async () => {
    const clock = new ManualClock(Date.now())
    await using bench = new Bench({}, clock)
    const slow = bench.app.task('tasks.slow', () => new Promise(() => undefined))
    const worker = await bench.start({ shutdownTimeout: 60 })
    await slow.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    const first = worker.stop()
    const second = worker.stop({ hard: true })
    const { ms } = await timedBy(clock, first)
    const exit = await first

    expect(await second).toBe(exit)
    expect(ms).toBeLessThan(2_000)
    expect(exit.interrupted).toHaveLength(1)
  })

  it.each([
    [false, false],
    [true, true],
  ])(
    'a soft shutdown of a worker that runs nothing, workerEnableSoftShutdownOnIdle: %s',
    async (onIdle, waits) => {
      const clock = new ManualClock(Date.now())
      await using bench = new Bench(
        {
          workerSoftShutdownTimeout: { milliseconds: 300 },
          workerEnableSoftShutdownOnIdle: onIdle,
        },
        clock,
      )
      const worker = await bench.start()

      const { ms } = await timedBy(clock, worker.stop({ hard: true }))

      expect(ms >= 300).toBe(waits)
    },
  )

  it('starts once however often it is asked', async () => {
    await using bench = new Bench()
    const worker = bench.worker()

    const first = worker.start()
    expect(worker.start()).toBe(first)
    await first

    expect(worker.status).toMatchObject({ state: 'running', isClaiming: true })
  })

  it.each(['before', 'during', 'after'])('stops %s the start, twice', async (when) => {
    await using bench = new Bench()
    const worker = bench.worker()

    const starting = when === 'before' ? undefined : worker.start()
    if (when === 'after') await starting
    const [first, second] = await Promise.all([worker.stop(), worker.stop()])
    await worker.start()
    await starting

    expect(first).toBe(second)
    expect(first.reason).toBe('stopped')
    expect(worker.status.state).toBe('stopped')
    expect(await worker.stopped).toBe(first)
  })

  it('fails to start where trying again is no use, and says why in its exit', async () => {
    await using bench = new Bench({ broker: 'nosuch://store' })
    const worker = bench.worker()

    await expect(worker.start()).rejects.toThrow(/nosuch/)

    expect(await worker.stopped).toMatchObject({ reason: 'failed', error: { code: 'LOVAGE_CONFIG' } })
  })

  it('runs until it is stopped elsewhere', async () => {
    await using bench = new Bench()
    const worker = bench.worker()

    const running = worker.run()
    await worker.start()
    void worker.stop()

    expect((await running).reason).toBe('stopped')
  })
})
