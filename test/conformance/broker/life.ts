import assert from 'node:assert/strict'
import type { Broker, Consumer } from '../../../src/broker/contract.js'
import { never } from '../time.js'
import { codeOf, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'
import type { BrokerPart } from './subject.js'

function partsOf(broker: Broker, consumer: Consumer): BrokerPart[] {
  const { capabilities } = broker
  const parts: (BrokerPart | false)[] = [
    capabilities.durable && 'durable',
    capabilities.maxDelayMs > 0 && 'delays',
    capabilities.priorityLevels > 1 && 'priorities',
    ...capabilities.exchanges,
    capabilities.claims === 'leased' && 'leases',
    consumer.settle !== undefined && 'settle',
    broker.queues !== undefined && 'queues',
    broker.fanout !== undefined && 'broadcast',
    broker.schedules !== undefined && 'schedules',
    capabilities.expires === true && 'expiration',
    broker.serverTime !== undefined && 'clock',
  ]
  return parts.filter((part) => part !== false)
}

/** Connecting, closing, and what a driver says of itself. */
export const lifeChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'offers exactly the parts it is listed with',
    run: async (stage) => {
      const results = stage.subject.openResults === undefined ? undefined : await stage.openResults()
      const consumer = await stage.consume({ results: results?.oneStep })

      const { offers, queuesLack = [] } = stage.subject
      assert.deepEqual(partsOf(stage.broker, consumer).sort(), [...offers, ...queuesLack].sort())
    },
  },
  {
    name: 'says of itself only what makes sense',
    run: async ({ broker }) => {
      const { maxBatch, publishBatch = 1, maxDelayMs, priorityLevels } = broker.capabilities

      assert.ok(broker.name.length > 0)
      assert.ok(maxBatch >= 1)
      assert.ok(publishBatch >= 1 && publishBatch <= maxBatch)
      assert.ok(maxDelayMs >= 0)
      assert.ok(priorityLevels >= 1)
    },
  },
  {
    name: 'tells the time of the store, whatever this process takes for the present',
    needs: ['clock'],
    run: async ({ broker }) => {
      const { now } = Date
      const askedMs = now()
      Date.now = () => now() + 900_000
      try {
        const serverMs = await broker.serverTime?.()

        assert.ok(serverMs !== undefined)
        assert.ok(Math.abs(serverMs - askedMs) < 60_000, `${String(serverMs - askedMs)} ms ahead`)
      } finally {
        Date.now = now
      }
    },
  },
  {
    name: 'connects once, however often it is asked',
    run: async ({ subject }) => {
      const broker = await subject.open()

      await Promise.all([broker.connect(never), broker.connect(never)])
      await broker.connect(never)

      await broker.close()
    },
  },
  {
    name: 'closes twice, and before it was connected',
    run: async ({ subject }) => {
      const broker = await subject.open()

      await broker.close()
      await broker.close()
    },
  },
  {
    name: 'refuses to be used after it was closed',
    run: async (stage) => {
      const broker = await stage.open()

      await broker.close()

      assert.equal(await codeOf(broker.publish([stage.outgoing('late')])), 'LOVAGE_BROKER')
      assert.equal(await codeOf(broker.depth(stage.queue)), 'LOVAGE_BROKER')
      assert.equal(await codeOf(broker.connect(never)), 'LOVAGE_BROKER')
    },
  },
  {
    name: 'refuses to fetch from a closed consumer',
    run: async (stage) => {
      const consumer = await stage.consume()

      await consumer.close()
      await consumer.close()

      assert.equal(await codeOf(consumer.fetch(1, { waitMs: 0, signal: never })), 'LOVAGE_BROKER')
    },
  },
  {
    name: 'renews and verifies claims exactly where they are leased',
    run: async (stage) => {
      const consumer = await stage.consume()

      const { leases, capabilities } = stage.broker
      const hasLeases = capabilities.claims === 'leased'

      assert.equal(leases !== undefined, hasLeases)
      assert.equal(consumer.holder !== undefined, hasLeases)
      assert.equal(consumer.verify !== undefined, hasLeases)
    },
  },
  {
    name: 'gives unsettled messages back when it is closed',
    run: async (stage) => {
      await stage.publish(['a', 'b'])
      const broker = await stage.open()
      await take(await stage.consume({}, broker), 2)

      await broker.close()

      const again = await take(await stage.consume(), 2)
      assert.deepEqual(textsOf(again).sort(), ['a', 'b'])
      assert.deepEqual(
        again.map((delivery) => delivery.deliveryCount),
        [1, 1],
      )
    },
  },
  {
    name: 'keeps messages while nobody is connected',
    needs: 'durable',
    run: async (stage) => {
      await stage.publish(['kept'])
      await stage.broker.close()

      const later = await stage.open()

      assert.deepEqual(textsOf([await takeOne(await stage.consume({}, later))]), ['kept'])
    },
  },
])
