import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { Lovage, TaskError } from '../../../src/index.js'
import { startWorker } from '../../../src/testing/index.js'
import { passTime } from '../../conformance/time.js'
import { serviceUrl } from '../../support/service-url.js'
import { sqlPlace } from '../../support/sql-place.js'
import { never } from './queue.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(120_000)

const LONG_ID = 'x'.repeat(156)
const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

describe.each(['postgresql', 'mariadb'] as const)('what the result table cannot hold on %s', (server) => {
  const itHere = serviceUrl(server) === undefined ? it.skip : it

  async function open(): Promise<Lovage> {
    const place = await sqlPlace(server)
    if (place === undefined) throw new Error(`${server} is not there any more`)
    closers.push(() => place.remove())
    const app = new Lovage('shop', { broker: place.url })
    closers.push(() => app.close())
    return app
  }

  itHere('refuses a task id that is too long at the call, unless the result is ignored', async () => {
    const app = await open()
    const task = app.task('tasks.any', () => 1)

    await expect(task.applyAsync([], { taskId: LONG_ID })).rejects.toBeInstanceOf(TaskError)
    await expect(task.applyAsync([], { taskId: LONG_ID })).rejects.toThrow(/at most 155 characters/)
    await task.applyAsync([], { taskId: LONG_ID, ignoreResult: true })
    await task.applyAsync([], { taskId: LONG_ID.slice(1) })
  })

  itHere('sets a message from elsewhere with such an id aside after one run', async () => {
    const app = await open()
    let runs = 0
    app.task('tasks.any', () => (runs += 1))
    const elsewhere = new Lovage('elsewhere', { broker: internalsOf(app).config().brokerUrl, backend: false })
    await elsewhere.sendTask('tasks.any', { taskId: LONG_ID })
    await elsewhere.close()
    const broker = await internalsOf(app).openBroker()
    closers.push(() => broker.close())
    const worker = await startWorker(app)

    while ((await broker.queues?.())?.includes('celery.dead') !== true) await passTime(20)
    await worker.stop()

    const consumer = await broker.consume(['celery.dead'], { credit: 10, leaseMs: 30_000 })
    const letters = await consumer.fetch(10, { waitMs: 10_000, signal: never })
    expect(letters.map(({ message }) => message.headers)).toMatchObject([
      { id: LONG_ID, 'lovage-dead-reason': 'refused' },
    ])
    expect(await broker.depth('celery')).toBe(0)
    expect(runs).toBe(1)
  })

  itHere('keeps the type and the beginning of an error of 20 MiB', async () => {
    const app = await open()
    const task = app.task('tasks.long', () => {
      throw new RangeError('x'.repeat(20 * 2 ** 20))
    })
    const worker = await startWorker(app)

    const result = await task.delay()

    const error: unknown = await result.get(60).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ remote: { type: 'ValueError' } })
    expect(String(error)).toMatch(/^.{0,100}xxx/)
    await worker.stop()
  })
})

const itOnMariadb = serviceUrl('mariadb') === undefined ? it.skip : it

describe('what is longer than a packet of MariaDB', () => {
  itOnMariadb('is a failure that says so as a result, and an error as a call', async () => {
    const place = await sqlPlace('mariadb')
    if (place === undefined) throw new Error('mariadb is not there any more')
    closers.push(() => place.remove())
    const app = new Lovage('shop', { broker: place.url })
    closers.push(() => app.close())
    let runs = 0
    const task = app.task('tasks.large', (_text: string) => {
      runs += 1
      return 'x'.repeat(20 * 2 ** 20)
    })
    const worker = await startWorker(app)

    await expect(task.delay('x'.repeat(20 * 2 ** 20))).rejects.toMatchObject({ retryable: false })
    const result = await task.delay('small')

    await expect(result.get(60)).rejects.toThrow(/max_allowed_packet/)
    expect(runs).toBe(1)
    await worker.stop()
  })
})
