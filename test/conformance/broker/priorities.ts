import assert from 'node:assert/strict'
import { drain, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck, BrokerStage } from './stage.js'

/** The most and the least urgent priority of a stage: where there are priorities, the larger first, or the smaller. */
function urgency(stage: BrokerStage): readonly [first: number, last: number] {
  return stage.broker.capabilities.firstPriority === 'smallest' ? [0, 9] : [9, 0]
}

/** What has priorities serves them in their order. */
export const priorityChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'delivers by priority, and one priority in publish order',
    needs: 'priorities',
    run: async (stage) => {
      const [first, last] = urgency(stage)
      const batch = [last, first, 3, first, last, 3].map((priority, index) =>
        stage.outgoing(`${String(priority)}-${String(index)}`, { properties: { priority } }),
      )
      const wanted = [`${first}-1`, `${first}-3`, '3-2', '3-5', `${last}-0`, `${last}-4`]
      await stage.broker.publish(batch)

      const deliveries = await drain(await stage.consume())

      assert.deepEqual(textsOf(deliveries), wanted)
    },
  },
  {
    name: 'treats a message without a priority as one of priority zero',
    needs: 'priorities',
    run: async (stage) => {
      await stage.broker.publish([
        stage.outgoing('none'),
        stage.outgoing('zero', { properties: { priority: 0 } }),
        stage.outgoing('nine', { properties: { priority: 9 } }),
      ])

      const deliveries = await drain(await stage.consume())

      const isNineFirst = urgency(stage)[0] === 9
      assert.deepEqual(textsOf(deliveries), isNineFirst ? ['nine', 'none', 'zero'] : ['none', 'zero', 'nine'])
    },
  },
  {
    name: 'delivers an urgent message before those that wait longer',
    needs: 'priorities',
    run: async (stage) => {
      const [urgent, patient] = urgency(stage)
      await stage.publish(['a', 'b'], { properties: { priority: patient } })
      const consumer = await stage.consume({ credit: 1 })
      const [first] = await drain(consumer)
      assert.ok(first)
      await stage.publish(['urgent'], { properties: { priority: urgent } })

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
