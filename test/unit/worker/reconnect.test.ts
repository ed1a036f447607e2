import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { brokerDrivers } from '../../../brokers/index.js'
import { Bench, gate, turns } from './harness.js'
import { FlakyStore } from './flaky-driver.js'

const memory = brokerDrivers.find((driver) => driver.schemes.includes('memory'))

function flakyBench(query = '', input: object = {}): { readonly bench: Bench; readonly store: FlakyStore } {
  const name = randomUUID()
  const store = new FlakyStore()
  const bench = new Bench({ broker: `flaky://${name}${query}`, backend: `memory://${name}`, ...input })
  if (memory === undefined) throw new RangeError('no memory driver')
  bench.app.brokers.register(store.driver('flaky', memory))
  return { bench, store }
}

describe('a worker whose store goes away', () => {
  it('connects again, rebuilds its consumer and goes on', async () => {
    const { bench, store } = flakyBench()
    await using _ending = bench
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    const worker = await bench.start()
    await (await add.delay(1, 1)).get(5)

    store.cut()
    await eventually(() => (worker.status.isClaiming ? undefined : true))
    expect(bench.log.find(/Connection to broker lost/)).toBeDefined()
    await eventually(() => bench.log.find(/Cannot connect.*Trying again in [\d.]+ seconds\.\.\. \(1/))
    store.isDown = false
    await eventually(() => (worker.status.isClaiming ? true : undefined))

    expect(await (await add.delay(2, 2)).get(5)).toBe(4)
  })

  it('lets running tasks finish, and settles them after the reconnect where claims outlive the connection', async () => {
    const { bench, store } = flakyBench('?leases=true')
    await using _ending = bench
    const may = gate()
    const counts: number[] = []
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
      counts.push(self.request.deliveryInfo.deliveryCount)
      await may.passed
      return 'kept'
    })
    const worker = await bench.start()
    const result = await slow.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    store.cut()
    await eventually(() => (worker.status.isClaiming ? undefined : true))
    may.open()
    await turns()
    expect(await bench.recordNow(result.id)).toBeUndefined()
    store.isDown = false

    expect(await result.get(10)).toBe('kept')
    expect(counts).toEqual([1])
  })

  it('gives back what a fetch claimed whose answer was lost, beside a task that still runs', async () => {
    const { bench, store } = flakyBench('?leases=true', { lease: 1 })
    await using _ending = bench
    const may = gate()
    const slow = bench.app.task('tasks.slow', () => may.passed)
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    const worker = await bench.start({ concurrency: 2 })
    const held = await slow.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))

    store.cut()
    // The fetch that waited on the lost connection takes it, and no one hears its answer.
    const result = await add.delay(1, 2)
    store.isDown = false

    expect(await result.get(10)).toBe(3)
    may.open()
    await held.get(10)
  })

  it('stores what ends after the reconnect, where it was acknowledged before and claims end with the connection', async () => {
    const { bench, store } = flakyBench()
    await using _ending = bench
    const [started, may] = [gate(), gate()]
    const early = bench.app.task({ name: 'tasks.early', acksLate: false }, async () => {
      started.open()
      await may.passed
      return 'kept'
    })
    const worker = await bench.start()
    const result = await early.delay()
    await started.passed
    store.cut()
    await eventually(() => (worker.status.isClaiming ? undefined : true))
    store.isDown = false
    await eventually(() => (worker.status.isClaiming ? true : undefined))

    may.open()

    expect(await result.get(3)).toBe('kept')
    expect((await worker.stop()).reason).toBe('stopped')
  })

  it.each(['', '?leases=true'])(
    'cancels late-acknowledged tasks when told to, and runs them again%s',
    async (query) => {
      const { bench, store } = flakyBench(query, { workerCancelLongRunningTasksOnConnectionLoss: true })
      await using _ending = bench
      const reasons: unknown[] = []
      const started = gate()
      const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
        if (reasons.length > 0) return self.request.deliveryInfo.deliveryCount
        started.open()
        await new Promise((resolve) => self.signal.addEventListener('abort', resolve))
        reasons.push(self.signal.reason)
        throw new RangeError('ended')
      })
      const worker = await bench.start()
      const result = await slow.delay()
      await started.passed

      store.cut()
      await eventually(() => (reasons.length > 0 ? true : undefined))
      expect(reasons[0]).toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })
      await eventually(() => (worker.status.running === 0 ? true : undefined))
      store.isDown = false

      expect(await result.get(10)).toBe(1)
      expect(reasons).toHaveLength(1)
    },
  )

  it('does not start what waited for a slot when its claim ended with the connection', async () => {
    const { bench, store } = flakyBench('', { readAhead: { seconds: 10 } })
    await using _ending = bench
    const [started, may] = [gate(), gate()]
    const runs: string[] = []
    const task = bench.app.task('tasks.name', async (name: string) => {
      runs.push(name)
      started.open()
      if (name === 'first') await may.passed
    })
    const worker = await bench.start({ concurrency: 1 })
    for (let warm = 0; warm < 20; warm += 1) await (await task.delay('warm')).get(5)
    runs.length = 0
    await Promise.all(['first', 'second', 'third'].map((name) => task.delay(name)))
    await eventually(() => (worker.status.buffered > 0 ? true : undefined))

    store.cut()
    await eventually(() => (worker.status.buffered === 0 ? true : undefined))
    store.isDown = false
    may.open()
    await eventually(() => (runs.filter((name) => name === 'third').length > 0 ? true : undefined))
    await worker.stop()

    expect(runs.filter((name) => name !== 'first')).toEqual(['second', 'third'])
  })

  it('waits for a store that is not there yet when it starts', async () => {
    const { bench, store } = flakyBench()
    await using _ending = bench
    store.isDown = true
    const worker = bench.worker()

    const starting = worker.start()
    await eventually(() => bench.log.find(/Cannot connect/))
    expect(worker.status).toMatchObject({ state: 'starting', isClaiming: false })
    store.isDown = false
    await starting

    expect(worker.status.isClaiming).toBe(true)
  })

  it('does not wait when it was told not to', async () => {
    const { bench, store } = flakyBench('', { brokerConnectionRetryOnStartup: false })
    await using _ending = bench
    store.isDown = true
    const worker = bench.worker()

    await expect(worker.start()).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })

    expect((await worker.stopped).reason).toBe('failed')
  })

  it('gives up after brokerConnectionMaxRetries', async () => {
    const { bench, store } = flakyBench('', { brokerConnectionMaxRetries: 1 })
    await using _ending = bench
    store.isDown = true

    await expect(bench.worker().start()).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })
  })

  it.each([false, true])(
    'ends when the store refuses it, unless brokerChannelErrorRetry (%s)',
    async (retries) => {
      const { bench, store } = flakyBench('', { brokerChannelErrorRetry: retries })
      await using _ending = bench
      store.refuses = true
      const worker = bench.worker()

      const starting = worker.start()
      if (!retries) {
        await expect(starting).rejects.toMatchObject({ code: 'LOVAGE_BROKER' })
        return
      }
      await eventually(() => bench.log.find(/Cannot connect: the queue exists otherwise/))
      store.refuses = false
      await starting

      expect(worker.status.isClaiming).toBe(true)
    },
  )

  it('can be stopped while it waits for the store', async () => {
    const { bench, store } = flakyBench()
    await using _ending = bench
    store.isDown = true
    const worker = bench.worker()
    const starting = worker.start()
    await eventually(() => bench.log.find(/Cannot connect/))

    const exit = await worker.stop()
    await starting

    expect(exit.reason).toBe('stopped')
  })
})
