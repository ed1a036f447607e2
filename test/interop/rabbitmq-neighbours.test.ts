import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { serviceUrl } from '../support/service-url.js'
import { rabbitmqPlace, rabbitmqRedisPlace } from './support/place.js'
import { shareQueue } from './support/shared-queue.js'
import { InteropStage, randomName } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const rabbitmq = serviceUrl('rabbitmq')
const places = [
  ['rpc', rabbitmqPlace(rabbitmq)],
  ['Redis', rabbitmqRedisPlace(rabbitmq, serviceUrl('redis'))],
] as const
const full = process.env['LOVAGE_TEST_FULL'] === 'true'

describe('Celery and Lovage as neighbours on RabbitMQ', () => {
  if (python === undefined || rabbitmq === undefined) {
    it.skip('run where a RabbitMQ and Celery 5.7 are', () => undefined)
    return
  }
  for (const [results, place] of full ? places : places.slice(0, 1)) {
    if (place === undefined) continue
    it(
      `share one queue while workers of both are killed, with results by ${results}: every task ends once, none is missing`,
      async () => {
        await using stage = await InteropStage.open(python, place)
        await shareQueue(stage, { tasks: full ? 5_000 : 400, kills: full ? 8 : 1, conf: {} })
      },
      full ? 300_000 : 90_000,
    )
  }

  it('leave delayed tasks of quorum queues to the same delay queues, both ways', async () => {
    const place = rabbitmqPlace(rabbitmq)
    if (place === undefined) return
    await using stage = await InteropStage.open(python, place)
    const path = stage.path()
    const open = (name: string): Lovage =>
      new Lovage('interop', {
        broker: place.broker,
        backend: place.backend,
        taskDefaultQueue: name,
        taskDefaultExchange: name,
        taskDefaultExchangeType: 'topic',
        taskDefaultRoutingKey: name,
        taskDefaultQueueType: 'quorum',
      })
    const conf = (name: string): Record<string, string> => ({
      task_default_queue: name,
      task_default_exchange: name,
      task_default_exchange_type: 'topic',
      task_default_routing_key: name,
      task_default_queue_type: 'quorum',
    })

    // Python's client to Lovage's worker, which has to be there for Celery: it binds the queue.
    const toLovage = randomName('delayed')
    const app = open(toLovage)
    let startedMs = 0
    app.task('py.note', (_value: number, _path: string) => void (startedMs = Date.now()))
    await (await startWorker(app)).stop()
    const sentMs = Date.now()
    await stage.python.run(`
      app.conf.update(${pythonDict(conf(toLovage))})
      send('py.note', 1, '${path}', countdown=3)`)
    const broker = await app.broker()
    // In Celery's own way it would be in the queue, to wait in a worker.
    expect(await broker.depth(toLovage)).toBe(0)
    const worker = await startWorker(app)
    for (const end = performance.now() + 20_000; startedMs === 0 && performance.now() < end;) await sleep(10)
    expect(startedMs - sentMs).toBeGreaterThanOrEqual(2_900)
    await worker.stop()

    // Lovage's client to Celery's worker.
    const toPython = randomName('delayed')
    const caller = open(toPython)
    const result = await caller.sendTask('py.add', { args: [20, 22], countdown: 3 })
    const calledMs = performance.now()
    expect(await (await caller.broker()).depth(toPython)).toBe(0)
    await stage.pythonWorker({ queues: toPython, conf: conf(toPython) })
    expect(await result.get(30)).toBe(42)
    expect(performance.now() - calledMs).toBeGreaterThanOrEqual(2_500)
    await broker.delete(toLovage)
    await (await caller.broker()).delete(toPython)
    await Promise.all([app.close(), caller.close()])
  }, 90_000)

  it('serve larger priorities first, whoever sent and whoever runs', async () => {
    const place = rabbitmqPlace(rabbitmq)
    if (place === undefined) return
    await using stage = await InteropStage.open(python, place)
    const queue = randomName('urgent')
    const path = stage.path()
    const conf = { task_queue_max_priority: 9, worker_prefetch_multiplier: 1, task_acks_late: true }
    const app = new Lovage('interop', {
      broker: place.broker,
      backend: place.backend,
      taskDefaultQueue: queue,
      taskQueueMaxPriority: 9,
    })
    const order: number[] = []
    const note = app.task('py.note', (value: number, _path: string) => {
      order.push(value)
    })
    const mixed = `
      app.conf.task_queue_max_priority = 9
      for priority in (0, 9, 3, 6):
          send('py.note', priority, '${path}', queue='${queue}', priority=priority)`
    await stage.python.run(mixed)
    for (const priority of [1, 5, 8]) await note.applyAsync([priority, path], { priority })
    const worker = await startWorker(app, { concurrency: 1, prefetchMultiplier: 1 })
    const end = performance.now() + 10_000
    while (order.length < 7 && performance.now() < end) await sleep(10)
    await worker.stop()
    expect(order).toEqual([9, 8, 6, 5, 3, 1, 0])

    await stage.python.run(mixed)
    for (const priority of [1, 5, 8]) await note.applyAsync([priority, path], { priority })
    await stage.pythonWorker({ queues: queue, conf })
    expect(await stage.lines(path, 7)).toEqual(['9', '8', '6', '5', '3', '1', '0'])
    await app.close()
  }, 40_000)
})

function pythonDict(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value}'`)
    .join(', ')
}
