import assert from 'node:assert/strict'
import { drain, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

/** Larger priorities first, where there are priorities. */
export const priorityChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'delivers larger priorities first, and one priority in publish order',
    needs: 'priorities',
    run: async (stage) => {
      const batch = [0, 9, 3, 9, 0, 3].map((priority, index) =>
        stage.outgoing(`${String(priority)}-${String(index)}`, { properties: { priority } }),
      )
      await stage.broker.publish(batch)

      const deliveries = await drain(await stage.consume())

      assert.deepEqual(textsOf(deliveries), ['9-1', '9-3', '3-2', '3-5', '0-0', '0-4'])
    },
  },
  {
    name: 'treats a message without a priority as one of priority zero',
    needs: 'priorities',
    run: async (stage) => {
      await stage.broker.publish([
        stage.outgoing('none'),
        stage.outgoing('zero', { properties: { priority: 0 } }),
        stage.outgoing('one', { properties: { priority: 1 } }),
      ])

      const deliveries = await drain(await stage.consume())

      assert.deepEqual(textsOf(deliveries), ['one', 'none', 'zero'])
    },
  },
  {
    name: 'delivers an urgent message before those that wait longer',
    needs: 'priorities',
    run: async (stage) => {
      await stage.publish(['a', 'b'])
      const consumer = await stage.consume({ credit: 1 })
      const [first] = await drain(consumer)
      assert.ok(first)
      await stage.publish(['urgent'], { properties: { priority: 9 } })

      await consumer.ack([first])

      assert.deepEqual(textsOf(await drain(consumer)), ['urgent'])
    },
  },
  {
    name: 'ignores priorities it does not have',
    lacks: 'priorities',
    run: async (stage) => {
      const batch = [0, 9].map((priority) => stage.outgoing(String(priority), { properties: { priority } }))
      await stage.broker.publish(batch)

      assert.deepEqual(textsOf(await drain(await stage.consume())).sort(), ['0', '9'])
    },
  },
])
