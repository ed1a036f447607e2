import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../backends/memory/index.js'
import { createBroker } from '../../../brokers/memory/index.js'
import type { Outgoing } from '../../../src/broker/contract.js'
import type { TaskRecord } from '../../../src/backend/contract.js'
import { BackendError, PublishError } from '../../../src/errors/errors.js'
import { Reject } from '../../../src/index.js'
import { eventually } from '../../conformance/time.js'
import { Bench } from './harness.js'

/** A bench with queue and results in two stores; `publish` may keep a batch from the first one. */
function benchWith(publish: (batch: readonly Outgoing[], nth: number) => Promise<void> | undefined): Bench {
  const store = `memory://${randomUUID()}`
  const bench = new Bench({
    broker: 'slow://',
    backend: `memory://${randomUUID()}`,
    publishTimeout: { milliseconds: 150 },
  })
  let nth = 0
  bench.app.brokers.register({
    schemes: ['slow'],
    load: async () => ({
      createBroker: (_url, options) => {
        const broker = createBroker(bench.app.brokers.find(store).url, options)
        const original = broker.publish.bind(broker)
        broker.publish = (batch) => publish(batch, (nth += 1)) ?? original(batch)
        return broker
      },
    }),
  })
  return bench
}

const hang = (): Promise<never> => new Promise(() => undefined)

/** A bench whose result backend, another store than the queue's, refuses some records for good. */
function benchRefusing(refuses: (record: TaskRecord) => boolean): Bench {
  const store = `memory://${randomUUID()}`
  const bench = new Bench({ broker: `memory://${randomUUID()}`, backend: 'picky://' })
  bench.app.backends.register({
    schemes: ['picky'],
    load: async () => ({
      createBackend: (_url, options) => {
        const backend = createBackend(bench.app.backends.find(store).url, options)
        const original = backend.store.bind(backend)
        backend.store = (records, keep) =>
          records.some(refuses) ? Promise.reject(new BackendError('too long')) : original(records, keep)
        return backend
      },
    }),
  })
  return bench
}

describe('a result that the store refuses for good', () => {
  it('becomes a failure that says so', async () => {
    await using bench = benchRefusing(({ state }) => state === 'SUCCESS')
    const task = bench.app.task('tasks.good', () => 'a value')
    await bench.start()

    const { id } = await task.delay()

    expect((await bench.record(id, 'FAILURE')).result).toMatchObject({ exc_message: ['too long'] })
  })

  it.each([
    ['ended well', 'refused', 'its result could not be stored: too long'],
    ['was rejected', 'rejected', 'Reject: no'],
  ])(
    'sets the message aside once, with the reason, where no record of it can be stored (%s)',
    async (how, reason, detail) => {
      await using bench = benchRefusing(() => true)
      let runs = 0
      const task = bench.app.task('tasks.run', () => {
        runs += 1
        if (how === 'was rejected') throw new Reject('no')
      })
      const worker = await bench.start()

      const { id } = await task.delay()
      await eventually(async () => (await bench.depth('celery.dead')) > 0)
      await worker.stop()

      const letters = await bench.take('celery.dead')
      expect(letters.map(({ message: { headers } }) => headers['id'])).toEqual([id])
      expect(letters[0]?.message.headers).toMatchObject({
        'lovage-dead-reason': reason,
        'lovage-dead-detail': detail,
      })
      expect(await bench.depth()).toBe(0)
      expect(runs).toBe(1)
    },
  )

  it.each([
    ['is set aside compressed, and its record is kept', 'x'.repeat(200_000), 'application/x-gzip', 'no'],
    ['is set aside as it was where that helps nothing', 'x', undefined, 'too large'],
  ])('a dead letter that the store refuses once %s', async (_how, text, compression, message) => {
    let refusals = 0
    const bench = benchWith((batch) => {
      if (batch[0]?.route.routingKey !== 'celery.dead' || refusals > 0) return undefined
      refusals += 1
      return Promise.reject(new PublishError('too large', [0]))
    })
    await using _ending = bench
    let runs = 0
    const task = bench.app.task({ name: 'tasks.no', acksOnFailure: false }, (_text: string) => {
      runs += 1
      throw new RangeError('no')
    })
    const worker = await bench.start()

    const { id } = await task.delay(text)
    await eventually(async () => (await bench.depth('celery.dead')) > 0)
    const { result } = await bench.record(id, 'FAILURE')
    await worker.stop()

    const letters = await bench.take('celery.dead')
    expect(letters.map(({ message: { headers } }) => headers['id'])).toEqual([id])
    expect(letters[0]?.message.headers['compression']).toBe(compression)
    expect(letters[0]?.message.headers['lovage-dead-detail']).toContain('no')
    expect(result).toMatchObject({ exc_message: [message] })
    expect(runs).toBe(1)
    expect(refusals).toBe(1)
  })

  it('sets an unreadable message aside, whose failure cannot be stored', async () => {
    await using bench = benchRefusing(() => true)
    const worker = await bench.start()
    const broker = await bench.broker()
    await broker.publish([
      {
        route: { exchange: '', routingKey: 'celery' },
        message: {
          body: new Uint8Array([123]),
          contentType: 'application/json',
          contentEncoding: 'utf-8',
          headers: { id: 'x'.repeat(200), task: 'tasks.any' },
          properties: {},
        },
      },
    ])
    await eventually(async () => (await bench.depth('celery.dead')) > 0)
    await worker.stop()

    const letters = await bench.take('celery.dead')
    expect(letters.map(({ message: { headers } }) => headers['lovage-dead-reason'])).toEqual(['unreadable'])
    expect(await bench.depth()).toBe(0)
  })
})

describe('an error whose text is longer than a store has room for', () => {
  it('is stored with its type and the beginning of its message', async () => {
    await using bench = new Bench()
    const task = bench.app.task('tasks.long', () => {
      throw new RangeError('x'.repeat(2 ** 20))
    })
    await bench.start()

    const { id } = await task.delay()

    const { result, traceback } = await bench.record(id, 'FAILURE')
    const {
      exc_type: type,
      exc_message: [message],
    } = result as {
      exc_type: string
      exc_message: string[]
    }
    expect(type).toBe('ValueError')
    expect(message?.startsWith('xxx')).toBe(true)
    expect(message?.length).toBeLessThan(200_000)
    expect(traceback?.length).toBeLessThan(200_000)
  })
})

describe('a store that does not confirm in time', () => {
  it('makes no failure of a granted retry', async () => {
    const bench = benchWith((_batch, nth) => (nth === 2 ? hang() : undefined))
    await using _ending = bench
    const task = bench.app.task({ name: 'tasks.again', bind: true, maxRetries: 3 }, async (self) => {
      if (self.request.retries === 0) throw self.retry({ countdown: 0 })
      return self.request.retries
    })
    await bench.start()

    const result = await task.delay()

    expect(await result.get(5)).toBe(1)
  })

  it('does not keep a dead letter from its queue', async () => {
    const bench = benchWith((_batch, nth) => (nth === 2 ? hang() : undefined))
    await using _ending = bench
    const task = bench.app.task('tasks.bad', () => {
      throw new Reject('no')
    })
    await bench.start()

    const { id } = await task.delay()

    expect((await bench.record(id, 'FAILURE')).result).toMatchObject({ exc_type: 'Reject' })
    const letters = await bench.take('celery.dead')
    expect(letters.map(({ message }) => message.headers['id'])).toEqual([id])
  })

  it('keeps the message where its dead letter is refused', async () => {
    const bench = benchWith((_batch, nth) =>
      nth === 1 ? undefined : Promise.reject(new PublishError('refused', [0])),
    )
    await using _ending = bench
    const task = bench.app.task('tasks.bad', () => {
      throw new Reject('no')
    })
    const worker = await bench.start()

    const { id } = await task.delay()
    await worker.stop()

    expect(await bench.recordNow(id)).toBeUndefined()
    expect(await bench.depth('celery.dead')).toBe(0)
    const broker = await bench.broker()
    expect(await broker.purge('celery')).toBe(1)
  })
})
