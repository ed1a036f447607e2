import assert from 'node:assert/strict'
import { passTime } from '../time.js'
import { codeOf, newName, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

/** Queues as things to declare, count, empty and delete. */
export const queueChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'keeps the messages of a queue that is declared again',
    run: async (stage) => {
      await stage.publish(['a'])

      await stage.declare(stage.queue)
      await (await stage.open()).declare(stage.queueSpec(stage.queue))

      assert.deepEqual(textsOf(await stage.peek()), ['a'])
    },
  },
  {
    name: 'declares one queue from several instances at once',
    run: async (stage) => {
      const name = newName('queue')
      const other = await stage.open()
      const spec = stage.queueSpec(name)

      await Promise.all([stage.broker, other, stage.broker, other].map((broker) => broker.declare(spec)))

      await other.publish([stage.outgoing('a', {}, name)])
      assert.equal(await stage.broker.depth(name), 1)
      await stage.broker.delete(name)
    },
  },
  {
    name: 'counts messages that are ready, and not those that are claimed',
    run: async (stage) => {
      assert.equal(await stage.broker.depth(stage.queue), 0)
      await stage.publish(['a', 'b', 'c'])
      assert.equal(await stage.broker.depth(stage.queue), 3)

      const consumer = await stage.consume()
      await takeOne(consumer)

      assert.equal(await stage.broker.depth(stage.queue), 2)
    },
  },
  {
    name: 'purges what waits, tells how much it was, and leaves claims alone',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const claimed = await takeOne(consumer)

      assert.equal(await stage.broker.purge(stage.queue), 2)

      assert.equal(await stage.broker.purge(stage.queue), 0)
      assert.deepEqual(await consumer.ack([claimed]), [])
    },
  },
  {
    name: 'purges one queue and not the next',
    run: async (stage) => {
      const other = await stage.declare()
      await stage.broker.publish([stage.outgoing('a'), stage.outgoing('b', {}, other)])

      await stage.broker.purge(other)

      assert.deepEqual(textsOf(await stage.peek()), ['a'])
      await stage.broker.delete(other)
    },
  },
  {
    name: 'drops a message by itself when its expiration is over',
    needs: 'expiration',
    run: async (stage) => {
      await stage.publish(['short'], { properties: { expirationMs: 100 } })
      await stage.publish(['long'], { properties: { expirationMs: 3_600_000 } })
      await passTime(400)

      assert.equal(await stage.broker.depth(stage.queue), 1)
      assert.deepEqual(textsOf(await stage.peek()), ['long'])
    },
  },
  {
    name: 'lists the queues it knows',
    needs: 'queues',
    run: async (stage) => {
      const names = await stage.broker.queues?.()

      assert.ok(names?.includes(stage.queue))
      await stage.broker.delete(stage.queue)
      assert.equal((await stage.broker.queues?.())?.includes(stage.queue), false)
    },
  },
  {
    name: 'deletes a queue with all that waits in it',
    run: async (stage) => {
      await stage.publish(['a'])

      await stage.broker.delete(stage.queue)

      assert.equal(await codeOf(stage.publish(['b'])), 'LOVAGE_PUBLISH')
      await stage.declare(stage.queue)
      assert.equal(await stage.broker.depth(stage.queue), 0)
    },
  },
  {
    name: 'deletes a queue that does not exist without a word',
    run: async ({ broker }) => {
      await broker.delete(newName('missing'))
    },
  },
  {
    name: 'keeps queues whose names are alike apart',
    run: async (stage) => {
      const names = [`${stage.queue}.dead`, stage.queue.toUpperCase(), `${stage.queue}%`, `${stage.queue}_`]
      for (const name of names) await stage.declare(name)

      await stage.broker.publish(names.map((name) => stage.outgoing(name, {}, name)))

      assert.equal(await stage.broker.depth(stage.queue), 0)
      const deliveries = await take(await stage.consumeFrom(names), names.length)
      for (const delivery of deliveries) assert.deepEqual(textsOf([delivery]), [delivery.queue])
      for (const name of names) await stage.broker.delete(name)
    },
  },
])
