import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import type { ConfigInput } from '../../src/config/config.js'
import { startWorker } from '../../src/testing/index.js'
import { serviceUrl } from '../support/service-url.js'
import { mongodbPlace } from './support/mongodb-place.js'
import { servePriorities } from './support/priorities.js'
import { shareQueue } from './support/shared-queue.js'
import { InteropStage, randomName, type InteropPlace } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const place = await mongodbPlace(serviceUrl('mongodb'))
const full = process.env['LOVAGE_TEST_FULL'] === 'true'

if (python === undefined || place === undefined) {
  describe('Celery and Lovage as neighbours on MongoDB', () => {
    it.skip('runs where a MongoDB and Celery 5.7 are', () => undefined)
  })
} else describeNeighbours(python, place)

function describeNeighbours(interpreter: string, where: InteropPlace): void {
  describe('Celery and Lovage as neighbours on MongoDB', () => {
    let stage: InteropStage

    beforeAll(async () => {
      stage = await InteropStage.open(interpreter, where)
    })

    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]()
    }, 30_000)

    it(
      'share one queue while workers of Lovage are killed: every task ends once, none is missing',
      async () => {
        const work = { tasks: full ? 3_000 : 200, kills: full ? 8 : 1, killed: ['node'] as const }
        await shareQueue(stage, work)
      },
      full ? 300_000 : 90_000,
    )

    it("leave a task of Lovage's alone that runs longer than its lease", async () => {
      const [queue, path] = [randomName('long'), stage.path()]
      await stage.nodeWorker(queue)
      const result = await stage.app.sendTask('shared.long', { args: [5, path], queue })
      expect(await stage.lines(path)).toEqual(['node'])
      await stage.pythonWorker({ queues: queue })

      expect(await result.get(30)).toBe('rested')
      expect(await stage.lines(path)).toEqual(['node'])
    }, 60_000)

    it('route by bindings that the other has made', async () => {
      const [ours, theirs, path] = [randomName('exchange'), randomName('exchange'), stage.path()]
      const cold = {
        name: `${ours}.queue`,
        exchange: ours,
        exchangeType: 'topic' as const,
        routingKey: 'cold.#',
      }
      const app = new Lovage('interop', settingsOf(where, { taskQueues: [cold] }))
      const add = app.task('interop.add', (x: number, y: number) => x + y)
      const worker = await startWorker(app)
      const code = `
        topic = kombu.Exchange('${theirs}', 'topic')
        with app.connection_for_write() as connection:
            kombu.Queue('${theirs}.queue', topic, routing_key='warm.*')(connection.default_channel).declare()
        known = [kombu.Exchange('${ours}', 'topic')]
        return send('interop.add', 1, 2, exchange='${ours}', routing_key='cold.and.dry', declare=known).get(timeout=20)`
      expect(await stage.python.run(code)).toBe(3)

      await stage.pythonWorker({ queues: `${theirs}.queue` })
      const message = { args: ['routed', path], exchange: theirs, routingKey: 'warm.today' }
      await (await app.sendTask('py.note', message)).get(20)
      expect(await stage.lines(path)).toEqual(['"routed"'])
      expect(add.name).toBe('interop.add')

      await worker.stop()
      await app.close()
    }, 60_000)

    it('serve larger priorities first, whoever sent and whoever runs', async () => {
      await servePriorities(stage, settingsOf(where, {}), { first: 'large' })
    }, 40_000)
  })
}

function settingsOf({ broker, backend }: InteropPlace, more: ConfigInput): ConfigInput {
  return { broker, backend, ...more }
}
