import assert from 'node:assert/strict'
import { never } from '../time.js'
import { assertNothing, drain, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

/** The end of a claim: acknowledged, or given back. */
export const settlingChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'forgets what was acknowledged',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const deliveries = await take(consumer, 3)

      const lost = await consumer.ack(deliveries)

      assert.deepEqual(lost, [])
      await consumer.close()
      assert.deepEqual(textsOf(await stage.peek()), [])
      assert.equal(await stage.broker.depth(stage.queue), 0)
    },
  },
  {
    name: 'acknowledges in any order',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const [a, b, c] = await take(consumer, 3)
      assert.ok(a && b && c)

      await consumer.ack([c, a])
      await consumer.close()

      assert.deepEqual(textsOf(await stage.peek()), ['b'])
    },
  },
  {
    name: 'reports a claim that is not held any more when it is acknowledged',
    run: async (stage) => {
      await stage.publish(['a', 'b'])
      const consumer = await stage.consume()
      const deliveries = await take(consumer, 2)
      await consumer.ack(deliveries.slice(0, 1))

      const lost = await consumer.ack(deliveries)

      assert.deepEqual(textsOf(lost), ['a'])
    },
  },
  {
    name: 'settles nothing of a newer claim by an older one of the same consumer',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const older = await takeOne(consumer)
      await consumer.handBack([{ delivery: older, delayMs: 0, unspent: true }])
      const newer = await takeOne(consumer)

      const notGivenBack = await consumer.handBack([{ delivery: older, delayMs: 0, unspent: true }])
      const notAcknowledged = await consumer.ack([older])

      assert.deepEqual(textsOf([...notGivenBack, ...notAcknowledged]), ['a', 'a'])
      await assertNothing(consumer)
      assert.deepEqual(textsOf(await consumer.ack([newer])), [])
    },
  },
  {
    name: 'reports a claim that is not held any more when it is given back',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)
      await consumer.ack([delivery])

      const lost = await consumer.handBack([{ delivery, delayMs: 0, unspent: true }])

      assert.deepEqual(textsOf(lost), ['a'])
      await assertNothing(consumer)
    },
  },
  {
    name: 'counts a first delivery as one, and not as redelivered',
    run: async (stage) => {
      await stage.publish(['a'])

      const { deliveryCount, redelivered, due } = await takeOne(await stage.consume())

      assert.deepEqual(
        { deliveryCount, redelivered, due },
        { deliveryCount: 1, redelivered: false, due: false },
      )
    },
  },
  {
    name: 'does not count a delivery that was given back unspent',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)

      await consumer.handBack([{ delivery, delayMs: 0, unspent: true }])

      const again = await takeOne(consumer)
      assert.equal(again.deliveryCount, 1)
      assert.equal(again.redelivered, true)
    },
  },
  {
    name: 'counts a delivery that was given back spent',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()

      for (const expected of [1, 2, 3]) {
        const delivery = await takeOne(consumer)
        assert.equal(delivery.deliveryCount, expected)
        assert.equal(delivery.redelivered, expected > 1)
        assert.deepEqual(await consumer.handBack([{ delivery, delayMs: 0, unspent: false }]), [])
      }
    },
  },
  {
    name: 'changes headers of a message that is given back, and nothing else',
    run: async (stage) => {
      await stage.publish(['a'], {
        headers: { task: 'shop.charge', seen: 1 },
        properties: { correlationId: 'c1', priority: 2 },
      })
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)

      await consumer.handBack([
        { delivery, delayMs: 0, unspent: true, headers: { seen: 2, reason: 'ünknown' } },
      ])

      const again = await takeOne(consumer)
      assert.deepEqual(again.message.headers, { task: 'shop.charge', seen: 2, reason: 'ünknown' })
      assert.equal(again.message.properties.correlationId, 'c1')
      assert.equal(again.message.properties.priority, 2)
      assert.deepEqual(textsOf([again]), ['a'])
      assert.deepEqual(again.route, delivery.route)
    },
  },
  {
    name: 'gives a batch back, each message in its own way',
    run: async (stage) => {
      await stage.publish(['a', 'b'])
      const consumer = await stage.consume()
      const [a, b] = await take(consumer, 2)
      assert.ok(a && b)

      await consumer.handBack([
        { delivery: a, delayMs: 0, unspent: true },
        { delivery: b, delayMs: 0, unspent: false, headers: { b: true } },
      ])

      const again = await take(consumer, 2)
      const found = again.map(({ deliveryCount, message }) => ({ deliveryCount, headers: message.headers }))
      assert.deepEqual(
        found.sort((one, other) => one.deliveryCount - other.deliveryCount),
        [
          { deliveryCount: 1, headers: {} },
          { deliveryCount: 2, headers: { b: true } },
        ],
      )
    },
  },
  {
    name: 'wakes another consumer with what is given back',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)
      const other = await stage.consume({}, await stage.open())
      const fetching = other.fetch(1, { waitMs: 20_000, signal: never })

      await consumer.handBack([{ delivery, delayMs: 0, unspent: true }])

      assert.deepEqual(textsOf(await fetching), ['a'])
    },
  },
  {
    name: 'redelivers, unspent, what a closed consumer had not settled',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const deliveries = await take(consumer, 3)
      await consumer.ack(deliveries.slice(0, 1))

      await consumer.close()

      const again = await drain(await stage.consume())
      assert.deepEqual(textsOf(again).sort(), ['b', 'c'])
      for (const { deliveryCount, redelivered } of again) {
        assert.deepEqual({ deliveryCount, redelivered }, { deliveryCount: 1, redelivered: true })
      }
    },
  },
  {
    name: 'keeps the claims of one consumer when another is closed',
    run: async (stage) => {
      await stage.publish(['a'])
      const holding = await stage.consume()
      const delivery = await takeOne(holding)
      const other = await stage.consume()

      await other.close()

      assert.deepEqual(textsOf(await stage.peek()), [])
      assert.deepEqual(await holding.ack([delivery]), [])
    },
  },
])
