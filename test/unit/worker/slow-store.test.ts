import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../brokers/memory/index.js'
import type { Outgoing } from '../../../src/broker/contract.js'
import { PublishError } from '../../../src/errors/errors.js'
import { Reject } from '../../../src/index.js'
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
