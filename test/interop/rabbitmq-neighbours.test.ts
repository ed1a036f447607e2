import { describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { serviceUrl } from '../support/service-url.js'
import { rabbitmqPlace, rabbitmqRedisPlace } from './support/place.js'
import { servePriorities } from './support/priorities.js'
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
    if (place === undefined) throw new Error('RabbitMQ is not there any more')
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
    if (place === undefined) throw new Error('RabbitMQ is not there any more')
    await using stage = await InteropStage.open(python, place)
    const { broker, backend } = place
    await servePriorities(stage, { broker, backend }, { first: 'large', max: 9 })
  }, 40_000)
})
