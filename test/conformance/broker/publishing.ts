import assert from 'node:assert/strict'
import { drain, errorOf, newName, take, takeOne, textsOf, toMessage, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

const MIB = 2 ** 20

/** What travels arrives as it was sent. */
export const publishingChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'delivers headers and properties as they were published',
    run: async (stage) => {
      const message = {
        ...toMessage('{}'),
        contentType: 'application/json',
        headers: {
          task: 'shop.charge',
          id: 'b3c1f7de',
          retries: 0,
          eta: null,
          timelimit: [null, 1.5],
          ignore_result: false,
          nested: { ключ: ['значение', '値', '🌿'] },
        },
        properties: {
          correlationId: 'b3c1f7de',
          replyTo: 'reply-1',
          priority: 3,
          expirationMs: 3_600_000,
          extra: { app_id: 'shop' },
        },
      }
      await stage.broker.publish([{ ...stage.outgoing(''), message }])

      const delivery = await takeOne(await stage.consume())

      assert.equal(delivery.message.contentType, 'application/json')
      assert.equal(delivery.message.contentEncoding, 'utf-8')
      assert.deepEqual(delivery.message.headers, message.headers)
      const { correlationId, replyTo, priority, expirationMs, extra } = delivery.message.properties
      assert.deepEqual({ correlationId, replyTo, priority, expirationMs, extra }, message.properties)
    },
  },
  {
    name: 'delivers every byte of a binary body',
    run: async (stage) => {
      const body = Uint8Array.from({ length: 512 }, (_, index) => index % 256)
      const message = {
        ...toMessage(''),
        body,
        contentType: 'application/x-msgpack',
        contentEncoding: 'binary',
      }
      await stage.broker.publish([{ ...stage.outgoing(''), message }])

      const delivery = await takeOne(await stage.consume())

      assert.equal(delivery.message.contentEncoding, 'binary')
      assert.deepEqual([...delivery.message.body], [...body])
    },
  },
  {
    name: 'delivers an empty body',
    run: async (stage) => {
      await stage.publish([''])

      const delivery = await takeOne(await stage.consume())

      assert.equal(delivery.message.body.length, 0)
    },
  },
  {
    name: 'delivers a body of one mebibyte',
    run: async (stage) => {
      const body = Uint8Array.from({ length: MIB }, (_, index) => (index * 31) % 251)
      await stage.broker.publish([{ ...stage.outgoing(''), message: { ...toMessage(''), body } }])

      const delivery = await takeOne(await stage.consume())

      assert.ok(Buffer.from(body).equals(delivery.message.body))
    },
  },
  {
    name: 'carries a queue name that is not ASCII',
    run: async (stage) => {
      const queue = await stage.declare(`${newName('queue')}-größe-队列`)
      await stage.broker.publish([stage.outgoing('a', {}, queue)])

      const delivery = await takeOne(await stage.consumeFrom([queue]))

      assert.equal(delivery.queue, queue)
      await stage.broker.delete(queue)
    },
  },
  {
    name: 'names the queue and the route of a delivery',
    run: async (stage) => {
      await stage.publish(['a'])

      const delivery = await takeOne(await stage.consume())

      assert.equal(delivery.queue, stage.queue)
      assert.deepEqual(delivery.route, { exchange: '', routingKey: stage.queue })
    },
  },
  {
    name: 'delivers a batch in publish order',
    run: async (stage) => {
      const texts = Array.from({ length: 50 }, (_, index) => `m${String(index)}`)
      await stage.publish(texts)

      const deliveries = await take(await stage.consume(), 50)

      assert.deepEqual(textsOf(deliveries), texts)
    },
  },
  {
    name: 'delivers first what was published first',
    run: async (stage) => {
      for (const text of ['a', 'b', 'c']) await stage.publish([text])

      const deliveries = await take(await stage.consume(), 3)

      assert.deepEqual(textsOf(deliveries), ['a', 'b', 'c'])
    },
  },
  {
    name: 'takes a batch larger than it can handle at once',
    run: async (stage) => {
      const texts = Array.from({ length: 2_500 }, (_, index) => String(index))

      await stage.publish(texts)

      const deliveries = await drain(await stage.consume({ credit: 3_000 }))
      assert.equal(new Set(textsOf(deliveries)).size, 2_500)
    },
  },
  {
    name: 'publishes concurrently without losing or doubling anything',
    run: async (stage) => {
      const texts = Array.from({ length: 100 }, (_, index) => String(index))
      const other = await stage.open()

      await Promise.all(
        texts.map((text, index) => (index % 2 === 0 ? stage.broker : other).publish([stage.outgoing(text)])),
      )

      const deliveries = await take(await stage.consume(), 100)
      assert.deepEqual(textsOf(deliveries).sort(), [...texts].sort())
    },
  },
  {
    name: 'refuses a message that reaches no queue, and names its place in the batch',
    run: async (stage) => {
      const nowhere = stage.outgoing('lost', {}, newName('missing'))

      const error = await errorOf(stage.broker.publish([stage.outgoing('a'), nowhere, stage.outgoing('b')]))

      assert.ok('code' in error && 'indexes' in error)
      assert.equal(error.code, 'LOVAGE_PUBLISH')
      assert.ok(Array.isArray(error.indexes) && error.indexes.includes(1))
      const indexes: readonly unknown[] = error.indexes
      const delivered = textsOf(await stage.peek())
      const confirmed = ['a', 'b'].filter((_, index) => !indexes.includes(index * 2))
      assert.deepEqual(delivered, confirmed, 'what is not named as unconfirmed is there')
    },
  },
])
