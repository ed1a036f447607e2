import assert from 'node:assert/strict'
import type { Consumer } from '../../../src/broker/contract.js'
import { eventually, never, timed } from '../time.js'
import { assertNothing, drain, take, takeOne, textOf, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

/** Settle everything a consumer can get, adding the texts to `seen`. */
async function work(consumer: Consumer, seen: string[], isDone: () => boolean): Promise<void> {
  while (!isDone()) {
    const batch = await consumer.fetch(7, { waitMs: 50, signal: never })
    seen.push(...textsOf(batch))
    assert.deepEqual(await consumer.ack(batch), [])
  }
}

/** Claiming: how many, how long to wait, and from which queues. */
export const fetchingChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'returns at once from an empty queue when it may not wait',
    run: async (stage) => {
      const consumer = await stage.consume()

      const { ms, value } = await timed(() => consumer.fetch(10, { waitMs: 0, signal: never }))

      assert.deepEqual(value, [])
      assert.ok(ms < 2_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'comes back empty when the wait is over',
    run: async (stage) => {
      const consumer = await stage.consume()

      const { ms, value } = await timed(() => consumer.fetch(10, { waitMs: 200, signal: never }))

      assert.deepEqual(value, [])
      assert.ok(ms >= 190 && ms < 5_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'never claims more than it was asked for',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c', 'd', 'e'])
      const consumer = await stage.consume()

      const batch = await consumer.fetch(3, { waitMs: 1_000, signal: never })

      assert.ok(batch.length >= 1 && batch.length <= 3)
      assert.equal((await drain(consumer)).length, 5 - batch.length)
    },
  },
  {
    name: 'gives back, unspent, what it was sent beyond a smaller credit',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c', 'd', 'e', 'f'])
      const consumer = await stage.consume()
      const batch = await consumer.fetch(5, { waitMs: 1_000, signal: never })

      await consumer.setCredit(batch.length)

      const rest = await take(await stage.consume({}, await stage.open()), 6 - batch.length)
      assert.ok(rest.every(({ deliveryCount }) => deliveryCount === 1))
      assert.deepEqual(await consumer.ack(batch), [])
    },
  },
  {
    name: 'wakes a waiting fetch when another instance publishes',
    run: async (stage) => {
      const consumer = await stage.consume()
      const other = await stage.open()
      const fetching = timed(() => consumer.fetch(1, { waitMs: 20_000, signal: never }))

      await other.publish([stage.outgoing('wake')])

      const { ms, value } = await fetching
      assert.deepEqual(textsOf(value), ['wake'])
      assert.ok(ms < 10_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'wakes a waiting fetch when the signal aborts',
    run: async (stage) => {
      const consumer = await stage.consume()
      const stop = new AbortController()
      const fetching = timed(() => consumer.fetch(1, { waitMs: 20_000, signal: stop.signal }))

      stop.abort()

      const { ms, value } = await fetching
      assert.deepEqual(value, [])
      assert.ok(ms < 5_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'does not wait when the signal was aborted before',
    run: async (stage) => {
      const consumer = await stage.consume()

      const { ms, value } = await timed(() =>
        consumer.fetch(1, { waitMs: 20_000, signal: AbortSignal.abort() }),
      )

      assert.deepEqual(value, [])
      assert.ok(ms < 5_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'fetches again after an aborted fetch, without a loss',
    run: async (stage) => {
      const consumer = await stage.consume()
      const stop = new AbortController()
      const fetching = consumer.fetch(1, { waitMs: 20_000, signal: stop.signal })
      stop.abort()
      await stage.publish(['a'])

      const early = await fetching

      const later = early.length === 1 ? [] : await take(consumer, 1)
      assert.deepEqual(textsOf([...early, ...later]), ['a'])
    },
  },
  {
    name: 'ends a waiting fetch when its consumer is closed',
    run: async (stage) => {
      const consumer = await stage.consume()
      const fetching = consumer.fetch(1, { waitMs: 20_000, signal: never }).catch(() => [])

      const { ms } = await timed(() => consumer.close())

      assert.deepEqual(await fetching, [])
      assert.ok(ms < 5_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'hides what is claimed from every other consumer',
    run: async (stage) => {
      await stage.publish(['a'])
      await takeOne(await stage.consume())

      await assertNothing(await stage.consume())
      await assertNothing(await stage.consume({}, await stage.open()), 100)
    },
  },
  {
    name: 'holds no more unsettled deliveries than its credit',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c', 'd'])
      const consumer = await stage.consume({ credit: 2 })

      const first = await drain(consumer)

      assert.deepEqual(textsOf(first), ['a', 'b'])
      await consumer.ack(first.slice(0, 1))
      assert.deepEqual(textsOf(await drain(consumer)), ['c'])
    },
  },
  {
    name: 'claims more once its credit is raised',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume({ credit: 1 })
      await takeOne(consumer)
      await assertNothing(consumer)

      await consumer.setCredit(3)

      assert.deepEqual(textsOf(await take(consumer, 2)), ['b', 'c'])
    },
  },
  {
    name: 'claims for a fetch that waits for credit once something is settled',
    run: async (stage) => {
      await stage.publish(['a', 'b'])
      const consumer = await stage.consume({ credit: 1 })
      const delivery = await takeOne(consumer)
      const fetching = consumer.fetch(1, { waitMs: 20_000, signal: never })

      await consumer.ack([delivery])

      assert.deepEqual(textsOf(await fetching), ['b'])
    },
  },
  {
    name: 'serves many queues without starving one',
    run: async (stage) => {
      const queues = await Promise.all(Array.from({ length: 8 }, () => stage.declare()))
      const batch = queues.flatMap((queue) =>
        Array.from({ length: 20 }, () => stage.outgoing(queue, {}, queue)),
      )
      await stage.broker.publish(batch)
      const consumer = await stage.consumeFrom(queues)

      const served = new Set<string>()
      for (let round = 0; round < 40; round += 1) served.add((await takeOne(consumer)).queue)

      assert.equal(served.size, 8)
      for (const queue of queues) await stage.broker.delete(queue)
    },
  },
  {
    name: 'claims from its own queues only',
    run: async (stage) => {
      const other = await stage.declare()
      await stage.broker.publish([stage.outgoing('other', {}, other), stage.outgoing('own')])

      const deliveries = await drain(await stage.consume())

      assert.deepEqual(textsOf(deliveries), ['own'])
      await stage.broker.delete(other)
    },
  },
  {
    name: 'hears of a message in any of its queues while it waits',
    run: async (stage) => {
      const other = await stage.declare()
      const consumer = await stage.consumeFrom([stage.queue, other])
      const fetching = consumer.fetch(1, { waitMs: 20_000, signal: never })

      await stage.broker.publish([stage.outgoing('second', {}, other)])

      assert.deepEqual(textsOf(await fetching), ['second'])
      await stage.broker.delete(other)
    },
  },
  {
    name: 'lets concurrent consumers share the work and never a delivery',
    run: async (stage) => {
      const count = 2_000
      const texts = Array.from({ length: count }, (_, index) => String(index))
      const other = await stage.open()
      await stage.publish(texts)
      const seen: string[] = []
      const consumers = await Promise.all(
        [stage.broker, stage.broker, other, other].map((broker) => stage.consume({}, broker)),
      )

      await Promise.all(consumers.map((consumer) => work(consumer, seen, () => seen.length >= count)))

      assert.equal(seen.length, count)
      assert.equal(new Set(seen).size, count)
      await eventually(async () => (await stage.broker.depth(stage.queue)) === 0)
    },
  },
  {
    name: 'delivers while messages keep coming in',
    run: async (stage) => {
      const consumer = await stage.consume()
      const seen: string[] = []
      const working = work(consumer, seen, () => seen.length >= 100)

      for (let index = 0; index < 100; index += 1) await stage.publish([String(index)])

      await working
      assert.deepEqual(
        seen.map(Number),
        Array.from({ length: 100 }, (_, index) => index),
      )
    },
  },
  {
    name: 'gives every claim a tag of its own',
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const first = await take(consumer, 3)
      await consumer.handBack(first.map((delivery) => ({ delivery, delayMs: 0, unspent: true })))

      const second = await take(consumer, 3)

      const tags = [...first, ...second].map((delivery) => delivery.tag)
      assert.equal(new Set(tags).size, 6)
      assert.ok(first.every((delivery) => textOf(delivery).length === 1))
    },
  },
])
