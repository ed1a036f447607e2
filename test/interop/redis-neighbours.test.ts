import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { serviceUrl } from '../support/service-url.js'
import { redisPlace } from './support/place.js'
import { servePriorities } from './support/priorities.js'
import { shareQueue } from './support/shared-queue.js'
import { InteropStage, randomName } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const place = redisPlace(serviceUrl('redis'))
const full = process.env['LOVAGE_TEST_FULL'] === 'true'

if (python === undefined || place === undefined) {
  describe('Celery and Lovage as neighbours on Redis', () => {
    it.skip('runs where a Redis and Celery 5.7 are', () => undefined)
  })
} else describeNeighbours(python, place)

function describeNeighbours(interpreter: string, where: NonNullable<typeof place>): void {
  describe('Celery and Lovage as neighbours on Redis', () => {
    let stage: InteropStage

    beforeAll(async () => {
      stage = await InteropStage.open(interpreter, where)
    })

    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]()
    }, 30_000)

    it(
      'share one queue while workers of both are killed: every task ends once, none is missing',
      async () => {
        await shareQueue(stage, { tasks: full ? 5_000 : 400, kills: full ? 8 : 1, conf: hasty(stage, 3) })
      },
      full ? 300_000 : 90_000,
    )

    it("leave a task of Python's alone that runs longer than Lovage's lease", async () => {
      await using own = await InteropStage.open(interpreter, redisPlace(where.broker) ?? where)
      const [queue, path] = [randomName('long'), own.path()]
      await own.pythonWorker({ queues: queue })
      const result = await own.app.sendTask('shared.long', { args: [6, path], queue })
      expect(await own.lines(path)).toEqual(['py'])
      await own.nodeWorker(queue)

      expect(await result.get(30)).toBe('rested')
      expect(await own.lines(path)).toEqual(['py'])
    }, 60_000)

    it("leave a task of Lovage's alone that runs longer than Celery's visibility timeout", async () => {
      await using own = await InteropStage.open(interpreter, redisPlace(where.broker) ?? where)
      const [queue, path] = [randomName('long'), own.path()]
      await own.nodeWorker(queue)
      const result = await own.app.sendTask('shared.long', { args: [5, path], queue })
      expect(await own.lines(path)).toEqual(['node'])
      await own.pythonWorker({ queues: queue, conf: hasty(own, 1) })

      expect(await result.get(30)).toBe('rested')
      expect(await own.lines(path)).toEqual(['node'])
    }, 60_000)

    it("keep Lovage's bindings when Celery sweeps those of others", async () => {
      const exchange = randomName('exchange')
      const app = new Lovage('interop', {
        broker: where.broker,
        backend: where.backend,
        brokerTransportOptions: where.brokerOptions,
        resultBackendTransportOptions: where.backendOptions,
        taskQueues: [{ name: `${exchange}.queue`, exchange, exchangeType: 'topic', routingKey: 'sweep.#' }],
      })
      const add = app.task('interop.add', (x: number, y: number) => x + y)
      const worker = await startWorker(app)

      // As a program with an expiring queue on the same exchange leaves it, an hour later.
      const code = `
        import redis
        client = redis.Redis.from_url('${where.broker}')
        prefix = settings['brokerOptions']['global_keyprefix']
        ours, others = '_kombu.binding.${exchange}', '_kombu.binding.${exchange}.other'
        for name in (ours, others):
            client.sadd(prefix + name, 'old\\x06\\x16\\x06\\x16gone')
        client.zadd(prefix + '_kombu.binding_deadlines', {'${exchange}': 1, '${exchange}.other': 1})
        with app.connection_for_write() as connection:
            connection.default_channel.sweep_bindings()
        return [client.exists(prefix + ours), client.exists(prefix + others)]`
      expect(await stage.python.run(code)).toEqual([1, 0])
      const result = await add.applyAsync([1, 2], { exchange, routingKey: 'sweep.it' })
      expect(await result.get(20)).toBe(3)

      await worker.stop()
      await app.close()
    })

    it('serve the same priorities first, whoever sent and whoever runs', async () => {
      const settings = {
        broker: where.broker,
        backend: where.backend,
        brokerTransportOptions: where.brokerOptions,
        resultBackendTransportOptions: where.backendOptions,
      }
      await servePriorities(stage, settings, { first: 'small' })
    }, 40_000)
  })
}

/** Celery looks for lost messages every second, and takes what is this old for lost. */
function hasty(stage: InteropStage, seconds: number): Readonly<Record<string, unknown>> {
  const { brokerOptions } = stage.settings
  const often = { unacked_restore_interval: 1, unacked_restore_throttle: 1 }
  return { broker_transport_options: { ...brokerOptions, ...often, visibility_timeout: seconds } }
}
