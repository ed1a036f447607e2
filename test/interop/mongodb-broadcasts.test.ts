import { describe, expect, it } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import { createBroker } from '../../brokers/mongodb/index.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { toMessage } from '../conformance/broker/stage.js'
import { serviceUrl } from '../support/service-url.js'
import { mongodbPlace } from './support/mongodb-place.js'
import { InteropStage, randomName } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const server = serviceUrl('mongodb-set')
const LIMIT_MS = 60_000

if (python === undefined || server === undefined) {
  describe('broadcasts of Celery 5.7 and Lovage on a replica set of MongoDB', () => {
    it.skip('runs where a replica set and Celery are', () => undefined)
  })
} else {
  // In a database of its own: kombu skips as many broadcasts of an exchange as there are of all exchanges when it begins.
  const open = async (): Promise<InteropStage> => InteropStage.open(python, await mongodbPlace(server))

  // Kombu reads broadcasts by a cursor that follows a capped collection, which the other stand-in refuses.
  describe('broadcasts of Celery 5.7 and Lovage on a replica set of MongoDB', () => {
    it(
      "Celery's workers answer a ping in a database that Lovage has made",
      async () => {
        await using stage = await open()
        await stage.nodeWorker()
        await Promise.all([stage.pythonWorker(), stage.pythonWorker()])
        const code = `
          answers = app.control.ping(timeout=20, limit=2)
          return [[answer for one in answers for answer in one.values()], call('node.add', 2, 3)]`
        expect(await stage.python.run(code)).toEqual([[{ ok: 'pong' }, { ok: 'pong' }], 5])
      },
      LIMIT_MS,
    )

    it(
      'each language hears what the other broadcasts',
      async () => {
        await using stage = await open()
        const broker = createBroker(parseConnectionUrl(stage.settings.broker), {})
        await using _closing = { [Symbol.asyncDispose]: () => broker.close() }
        await broker.connect(AbortSignal.timeout(LIMIT_MS))
        const exchange = randomName('news')
        const heard: unknown[] = []
        await broker.fanout?.subscribe([{ exchange, routingKey: '#', type: 'topic' }], {
          message: (_route, { body }) => heard.push(JSON.parse(new TextDecoder().decode(body))),
          lost: () => undefined,
        })
        const listen = `
          proj.heard = []
          def told(body, message):
              proj.heard.append(body)
          proj.news = kombu.Exchange('${exchange}', 'fanout')
          proj.connection = app.connection_for_read()
          queue = kombu.Queue('${randomName('py')}', proj.news)
          proj.listener = kombu.Consumer(proj.connection, [queue], callbacks=[told], accept=['json'], no_ack=True)
          proj.listener.consume()`
        const send = `
          kombu.Producer(proj.connection, proj.news, serializer='json').publish('from Python', declare=[proj.news])
          def all_heard():
              try:
                  proj.connection.drain_events(timeout=0.1)
              except OSError:
                  pass
              return len(proj.heard) == 2
          until(all_heard)
          return sorted(proj.heard)`
        await stage.python.run(listen)

        const message = { ...toMessage('"from Node"'), contentType: 'application/json' }
        await broker.fanout?.broadcast({ exchange, routingKey: '' }, message)

        expect(await stage.python.run(send)).toEqual(['from Node', 'from Python'])
        await eventually(() => heard.length === 2)
        expect(heard).toEqual(['from Node', 'from Python'])
      },
      LIMIT_MS,
    )
  })
}
