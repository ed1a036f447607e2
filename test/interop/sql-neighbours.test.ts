import { afterAll, describe, expect, it } from '@jest/globals'
import { Lovage } from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { shareQueue } from './support/shared-queue.js'
import { sqlInteropPlace } from './support/sql-place.js'
import { InteropStage, randomName } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const full = process.env['LOVAGE_TEST_FULL'] === 'true'

/** Celery makes its tables by itself when it first needs them; Lovage adds to them what it needs. */
const MAKE_TABLES = `
with app.connection_for_write() as connection:
    connection.default_channel.queue_declare('first')
app.backend.ResultSession().close()`

for (const server of ['postgresql', 'mariadb', 'sqlite'] as const) {
  const found = python === undefined ? undefined : await sqlInteropPlace(server)
  if (python === undefined || found === undefined) {
    it.skip(`Celery and Lovage as neighbours on ${server}: nothing is there to run it on`, () => undefined)
    continue
  }
  describe(`Celery and Lovage as neighbours in kombu's tables on ${server}`, () => {
    afterAll(async () => {
      await found.remove()
    }, 20_000)

    it("share one queue that both send to while a worker of Lovage's is killed: every task ends once, none is missing", async () => {
      await using stage = await InteropStage.open(python, found.place)
      await stage.python.run(MAKE_TABLES)
      // kombu loses what a killed worker of Celery has taken, so none of those is killed.
      await shareQueue(stage, {
        tasks: full ? 2_000 : 120,
        kills: full ? 4 : 1,
        killed: ['node'],
        pythonWorkers: 1,
      })
    }, 120_000)

    it('describe a task in an extended row that the other reads', async () => {
      await using stage = await InteropStage.open(python, found.place)
      const { broker, backend } = found.place
      const queue = randomName('rows')
      const app = new Lovage('rows', { broker, backend, taskDefaultQueue: queue, resultExtended: true })
      const half = app.task('rows.half', (value: number) => value / 2)
      const worker = await startWorker(app)
      const result = await half.delay(5)
      await result.get(20)

      const seen = await stage.python.run(`
        result = app.AsyncResult('${result.id}')
        return [result.get(timeout=20), result.name, result.args, result.kwargs, result.retries, result.queue]`)
      expect(seen).toEqual([2.5, 'rows.half', [5], {}, 0, queue])

      await worker.stop()
      await app.close()
    }, 60_000)
  })
}
