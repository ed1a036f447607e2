import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../brokers/redis/index.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import type { Broker, Consumer } from '../../src/broker/contract.js'
import { drain, textsOf, toMessage } from '../conformance/broker/stage.js'
import { serviceUrl } from '../support/service-url.js'
import { redisPlace } from './support/place.js'
import { InteropStage, randomName } from './support/stage.js'

const python = process.env['LOVAGE_TEST_CELERY_PYTHON']
const place = redisPlace(serviceUrl('redis'))
const LIMIT_MS = 60_000

if (python === undefined || place === undefined) {
  describe('fanout exchanges of Celery 5.7 and Lovage on Redis', () => {
    it.skip('runs where a Redis and Celery 5.7 are', () => undefined)
  })
} else describeFanout(python, place)

function describeFanout(interpreter: string, where: NonNullable<typeof place>): void {
  const openBrokers = async (
    count: number,
  ): Promise<AsyncDisposable & { readonly all: readonly Broker[] }> => {
    const url = parseConnectionUrl(where.broker)
    const options = { transportOptions: where.brokerOptions }
    const all = Array.from({ length: count }, () => createBroker(url, options))
    await Promise.all(all.map((broker) => broker.connect(AbortSignal.timeout(LIMIT_MS))))
    return {
      all,
      [Symbol.asyncDispose]: async () => {
        await Promise.all(all.map((broker) => broker.close()))
      },
    }
  }
  const consume = (broker: Broker, queue: string): Promise<Consumer> =>
    broker.consume([queue], { credit: 100, leaseMs: 30_000 })
  /** Python's side of an exchange: a queue that hears, and a producer. */
  const listen = (exchange: string): string => `
    proj.heard = []
    proj.news = kombu.Exchange('${exchange}', 'fanout')
    proj.connection = app.connection_for_read()
    queue = kombu.Queue('${randomName('py')}', proj.news)
    def told(body, message):
        proj.heard.append(body)
    proj.listener = kombu.Consumer(proj.connection, [queue], callbacks=[told], accept=['json'], no_ack=True)
    proj.listener.consume()
    # Kombu subscribes when it looks for messages the first time.
    try:
        proj.connection.drain_events(timeout=0.1)
    except OSError:
        pass`
  const publish = (texts: readonly string[], routingKey = ''): string => `
    producer = kombu.Producer(proj.connection, proj.news, serializer='json')
    for text in ${JSON.stringify(texts)}:
        producer.publish(text, routing_key='${routingKey}', declare=[proj.news])`
  const heard = (count: number): string => `
    def all_heard():
        try:
            proj.connection.drain_events(timeout=0.1)
        except OSError:
            pass
        return len(proj.heard) == ${String(count)}
    until(all_heard)
    return proj.heard`

  describe('fanout exchanges of Celery 5.7 and Lovage on Redis', () => {
    it(
      "what Celery publishes is in each of Lovage's queues once, however many consumers a queue has",
      async () => {
        await using stage = await InteropStage.open(interpreter, where)
        const exchange = randomName('news')
        await using brokers = await openBrokers(3)
        const [one, two, three] = brokers.all
        if (one === undefined || two === undefined || three === undefined) throw new RangeError('no brokers')
        const binding = { exchange, type: 'fanout', routingKey: '' } as const
        const queues = [`${exchange}-a`, `${exchange}-b`]
        for (const name of queues) await one.declare({ name, lifetime: 'durable', bindings: [binding] })
        // Its name begins as that of the exchange.
        const other = `${exchange}-other`
        const elsewhere = { ...binding, exchange: `${exchange}.more` }
        await one.declare({ name: other, lifetime: 'durable', bindings: [elsewhere] })
        const consumers = await Promise.all([
          ...[one, two, three].map((broker) => consume(broker, `${exchange}-a`)),
          consume(two, `${exchange}-b`),
          consume(three, other),
        ])
        const [a1, a2, a3, b, none] = consumers
        const all = Array.from({ length: 20 }, (_, index) => String(index))
        const ended = [...all.map((text) => `"${text}"`), '"end"'].toSorted()
        await stage.python.run(listen(exchange))

        await stage.python.run(publish(all.slice(0, 10)))
        await stage.python.run(publish(all.slice(10), 'some.key'))
        await one.publish([{ route: { exchange, routingKey: '' }, message: toMessage('"end"') }])

        expect((await takeUntil([a1, a2, a3], 21)).toSorted()).toEqual(ended)
        expect((await takeUntil([b], 21)).toSorted()).toEqual(ended)
        expect(none === undefined ? undefined : textsOf(await drain(none))).toEqual([])
        for (const consumer of consumers) await consumer.close()
        for (const name of [...queues, other]) await one.delete(name)
      },
      LIMIT_MS,
    )

    it(
      "what Lovage publishes is in its queues, without a consumer too, and Celery's listeners hear it",
      async () => {
        await using stage = await InteropStage.open(interpreter, where)
        const exchange = randomName('news')
        await using brokers = await openBrokers(1)
        const [broker] = brokers.all
        if (broker === undefined) throw new RangeError('no broker')
        const queue = `${exchange}-a`
        const bindings = [{ exchange, type: 'fanout', routingKey: '' }] as const
        await broker.declare({ name: queue, lifetime: 'durable', bindings })
        await stage.python.run(listen(exchange))
        const send = (text: string): Promise<void> => {
          const message = { ...toMessage(text), contentType: 'application/json' }
          return broker.publish([{ route: { exchange, routingKey: '' }, message }])
        }

        await send('"unheard"')
        const consumer = await consume(broker, queue)
        await send('"heard"')

        expect(await stage.python.run(heard(2))).toEqual(['unheard', 'heard'])
        expect(await takeUntil([consumer], 2)).toEqual(['"unheard"', '"heard"'])
        await consumer.close()
        await broker.delete(queue)
      },
      LIMIT_MS,
    )
  })
}

/** Take from consumers of a queue until there are `count` in all, and then what else is there. */
async function takeUntil(consumers: readonly (Consumer | undefined)[], count: number): Promise<string[]> {
  const texts: string[] = []
  const signal = AbortSignal.timeout(20_000)
  while (texts.length < count && !signal.aborted) {
    for (const consumer of consumers) {
      const deliveries = (await consumer?.fetch(3, { waitMs: 50, signal })) ?? []
      texts.push(...textsOf(deliveries))
      await consumer?.ack(deliveries)
    }
  }
  for (const consumer of consumers) {
    if (consumer !== undefined) texts.push(...textsOf(await drain(consumer)))
  }
  return texts
}
