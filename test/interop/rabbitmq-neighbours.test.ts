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
        await shareQueue(stage, {
          tasks: full ? 5_000 : 400,
          kills: full ? 8 : 1,
          pythonSends: results !== 'rpc',
        })
      },
      full ? 300_000 : 90_000,
    )
  }

  it('delay tasks of each other in a quorum queue, through the same exchanges', async () => {
    const place = rabbitmqPlace(rabbitmq)
    if (place === undefined) return
    const name = randomName('quorum')
    const conf = { quorum_queue: name, task_acks_late: true }
    await using stage = await InteropStage.open(python, { ...place, conf })
    const app = new Lovage('interop', {
      broker: place.broker,
      backend: place.backend,
      taskQueues: [
        {
          ...{ name, exchange: name, exchangeType: 'topic', routingKey: `${name}.#` },
          queueArguments: { 'x-queue-type': 'quorum' },
        },
      ],
    })
    const when = app.task('py.when', () => Date.now() / 1000)
    const sent = { exchange: name, routingKey: `${name}.when`, countdown: 3 }

    const worker = await startWorker(app)
    const ofPython = `
      began = time.time()
      result = send('py.when', exchange='${name}', routing_key='${name}.when', countdown=3)
      until(lambda: delayed() > 0)
      return [result.get(timeout=20) - began, result.get() - began < 15]`
    const [waited, inTime] = await stage.python.run<readonly [number, boolean]>(ofPython)
    expect(waited).toBeGreaterThanOrEqual(2.9)
    expect(inTime).toBe(true)
    await worker.stop()

    await stage.pythonWorker({ queues: name })
    const began = Date.now() / 1000
    const result = await when.applyAsync([], sent)
    expect(await stage.python.run('return until(lambda: delayed() > 0)')).toBe(true)
    expect((await result.get(20)) - began).toBeGreaterThanOrEqual(2.9)
    await app.close()
  }, 60_000)

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
