import assert from 'node:assert/strict'
import { never, passTime, timed } from '../time.js'
import { assertNothing, codeOf, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

/** How far two clocks of one machine may be apart. */
const CLOCK_SLACK_MS = 15
const THIRTY_DAYS_MS = 30 * 86_400_000

/** Messages that wait for their time, in the store. */
export const delayChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'refuses a delay by name when it cannot delay',
    lacks: 'delays',
    run: async (stage) => {
      assert.equal(await codeOf(stage.publish(['a'], { delayMs: 60_000 })), 'LOVAGE_UNSUPPORTED')
      assert.deepEqual(textsOf(await stage.peek()), [])
    },
  },
  {
    name: 'delivers a delayed message when it is due, and not earlier',
    needs: 'delays',
    run: async (stage) => {
      const consumer = await stage.consume()

      const { ms, value } = await timed(async () => {
        await stage.publish(['later'], { delayMs: stage.delayMs })
        return takeOne(consumer, 10_000)
      })

      assert.ok(ms >= stage.delayMs - CLOCK_SLACK_MS && ms < stage.delayMs + 5_000, `took ${String(ms)} ms`)
      assert.equal(value.due, true)
      assert.equal(value.deliveryCount, 1)
    },
  },
  {
    name: 'delivers at the moment that was asked for, and not earlier',
    needs: 'delays',
    run: async (stage) => {
      const consumer = await stage.consume()
      const notBeforeMs = Date.now() + stage.delayMs
      await stage.publish(['then'], { notBeforeMs })

      const delivery = await takeOne(consumer, 10_000)

      assert.ok(Date.now() >= notBeforeMs - CLOCK_SLACK_MS, `${notBeforeMs - Date.now()} ms early`)
      assert.equal(delivery.due, true)
    },
  },
  {
    name: 'keeps a delayed message back when another of its queue becomes due',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['later'], { delayMs: 60_000 })
      await stage.publish(['soon'], { delayMs: stage.delayMs })
      const consumer = await stage.consume()

      const delivery = await takeOne(consumer, 10_000)

      assert.deepEqual(textsOf([delivery]), ['soon'])
      await assertNothing(consumer)
    },
  },
  {
    name: 'wakes a fetch that waits already when a message becomes due',
    needs: 'delays',
    run: async (stage) => {
      const consumer = await stage.consume()
      const other = await stage.open()
      const fetching = timed(() => consumer.fetch(1, { waitMs: 20_000, signal: never }))

      await other.publish([stage.outgoing('later', { delayMs: stage.delayMs })])

      const { ms, value } = await fetching
      assert.deepEqual(textsOf(value), ['later'])
      assert.ok(ms < 10_000, `took ${String(ms)} ms`)
    },
  },
  {
    name: 'delivers at once what was due in the past',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['past'], { notBeforeMs: Date.now() - 60_000 })

      const delivery = await takeOne(await stage.consume())

      assert.equal(delivery.due, true)
    },
  },
  {
    name: 'lets messages that are ready pass delayed ones',
    needs: 'delays',
    run: async (stage) => {
      const consumer = await stage.consume()
      await stage.broker.publish([
        stage.outgoing('third', { delayMs: 2 * stage.delayMs }),
        stage.outgoing('second', { delayMs: stage.delayMs }),
        stage.outgoing('first'),
      ])

      const deliveries = await take(consumer, 3, 10_000)

      // A consumer that looks late finds both delayed ones due, in whatever order.
      const [first, ...later] = textsOf(deliveries)
      assert.deepEqual([first, ...later.sort()], ['first', 'second', 'third'])
      assert.deepEqual(
        deliveries.map((delivery) => delivery.due),
        [false, true, true],
      )
    },
  },
  {
    name: 'holds a message for thirty days, or refuses by name',
    needs: 'delays',
    run: async (stage) => {
      const publishing = stage.publish(['far'], { delayMs: THIRTY_DAYS_MS })

      if (stage.broker.capabilities.maxDelayMs >= THIRTY_DAYS_MS) await publishing
      else assert.equal(await codeOf(publishing), 'LOVAGE_UNSUPPORTED')

      await assertNothing(await stage.consume())
    },
  },
  {
    name: 'does not count delayed messages as ready, and purges them too',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['later'], { delayMs: 60_000 })
      await stage.publish(['now'])

      assert.equal(await stage.broker.depth(stage.queue), 1)
      assert.equal(await stage.broker.purge(stage.queue), 2)
    },
  },
  {
    name: 'hides a message that is given back for as long as it was asked to',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)

      const { ms, value } = await timed(async () => {
        await consumer.handBack([{ delivery, delayMs: stage.delayMs, unspent: true }])
        return takeOne(consumer, 10_000)
      })

      assert.ok(ms >= stage.delayMs - CLOCK_SLACK_MS, `took ${String(ms)} ms`)
      assert.equal(value.deliveryCount, 1)
    },
  },
  {
    name: 'parks a message until a moment, after which it is due',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)
      const notBeforeMs = Date.now() + stage.delayMs

      await consumer.handBack([{ delivery, delayMs: 0, notBeforeMs, unspent: true }])

      const again = await takeOne(consumer, 10_000)
      assert.ok(Date.now() >= notBeforeMs - CLOCK_SLACK_MS, `${notBeforeMs - Date.now()} ms early`)
      assert.equal(again.due, true)
      assert.equal(again.deliveryCount, 1)
    },
  },
  {
    name: 'still knows that a message was due when it is delivered again',
    needs: 'delays',
    run: async (stage) => {
      await stage.publish(['a'], { delayMs: 1 })
      const consumer = await stage.consume()
      const delivery = await takeOne(consumer)

      await consumer.handBack([{ delivery, delayMs: 0, unspent: false }])

      assert.equal((await takeOne(consumer)).due, true)
    },
  },
  {
    name: 'keeps delayed messages when their publisher is gone',
    needs: 'delays',
    run: async (stage) => {
      const publisher = await stage.open()
      await publisher.publish([stage.outgoing('later', { delayMs: stage.delayMs })])
      await publisher.close()
      await passTime(stage.delayMs)

      assert.deepEqual(textsOf([await takeOne(await stage.consume())]), ['later'])
    },
  },
])
