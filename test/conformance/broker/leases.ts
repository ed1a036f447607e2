import assert from 'node:assert/strict'
import { never, passTime } from '../time.js'
import type { Consumer, Delivery } from '../../../src/broker/contract.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { assertNothing, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck, BrokerStage } from './stage.js'

/** The next delivery of a consumer that lost its claims, or of its successor if it says that its connection is lost. */
async function takeAnew(stage: BrokerStage, lost: Consumer): Promise<[Consumer, Delivery]> {
  try {
    return [lost, await takeOne(lost)]
  } catch (error) {
    if (!(error instanceof BrokerConnectionError)) throw error
    const successor = await stage.consume()
    return [successor, await takeOne(successor)]
  }
}

/** Claims that run out unless renewed, and the fence around what was lost. */
export const leaseChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'keeps a claim as long as its consumer, when claims do not run out',
    lacks: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume({ leaseMs: 50 })
      const delivery = await takeOne(consumer)

      await passTime(150)

      await assertNothing(await stage.consume())
      assert.deepEqual(await consumer.ack([delivery]), [])
    },
  },
  {
    name: 'delivers again, as spent, what was claimed under a lease that ran out',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      await takeOne(await stage.consume({ leaseMs: stage.leaseMs }))
      const other = await stage.consume({}, await stage.open())
      await assertNothing(other)

      const again = await takeOne(other, stage.leaseMs + 10_000)

      assert.equal(again.deliveryCount, 2)
      assert.equal(again.redelivered, true)
    },
  },
  {
    name: 'refuses the acknowledgement of a stale owner',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const stale = await stage.consume({ leaseMs: stage.leaseMs })
      const delivery = await takeOne(stale)
      const owner = await stage.consume({}, await stage.open())
      const again = await takeOne(owner, stage.leaseMs + 10_000)

      assert.deepEqual(textsOf(await stale.ack([delivery])), ['a'])

      assert.deepEqual(await owner.ack([again]), [])
    },
  },
  {
    name: 'refuses the hand-back of a stale owner',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const stale = await stage.consume({ leaseMs: stage.leaseMs })
      const delivery = await takeOne(stale)
      const owner = await stage.consume({}, await stage.open())
      const again = await takeOne(owner, stage.leaseMs + 10_000)

      const lost = await stale.handBack([{ delivery, delayMs: 0, unspent: true, headers: { stale: true } }])

      assert.deepEqual(textsOf(lost), ['a'])
      await assertNothing(await stage.consume())
      assert.deepEqual(await owner.ack([again]), [])
    },
  },
  {
    name: 'leaves a claim alone that a stale owner closes over',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const stale = await stage.consume({ leaseMs: stage.leaseMs })
      await takeOne(stale)
      const owner = await stage.consume({}, await stage.open())
      const again = await takeOne(owner, stage.leaseMs + 10_000)

      await stale.close()

      await assertNothing(await stage.consume())
      assert.deepEqual(await owner.ack([again]), [])
    },
  },
  {
    name: 'keeps a claim that another instance renews',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume({ leaseMs: stage.leaseMs })
      const delivery = await takeOne(consumer)
      const keeper = await stage.open()
      const other = await stage.consume({}, keeper)

      for (let round = 0; round < 6; round += 1) {
        const renewal = await keeper.leases?.renew(consumer.holder ?? '', [delivery.tag], stage.leaseMs)
        assert.deepEqual(renewal, { held: true, lostTags: [] })
        await assertNothing(other, stage.leaseMs / 3)
      }

      assert.deepEqual(await consumer.ack([delivery]), [])
    },
  },
  {
    name: 'gives back, unspent, what a holder has beyond the claims it knows of',
    needs: 'leases',
    run: async (stage) => {
      const { leases } = await stage.open()
      assert.ok(leases)
      const { reconcile } = leases
      // Where each claim has to be named, those that no one names run out.
      assert.equal(reconcile !== undefined, leases.renews === 'holder')
      if (reconcile === undefined) return
      await stage.publish(['a', 'b', 'c'])
      const consumer = await stage.consume()
      const [known] = await take(consumer, 3)
      assert.ok(known)

      const { holder = '' } = consumer

      const renewal = await reconcile(holder, [known.tag, 'settled'], 30_000)

      assert.deepEqual([renewal.held, renewal.lostTags.includes(known.tag)], [true, false])
      const back = await take(await stage.consume({}, await stage.open()), 2)
      assert.deepEqual(textsOf(back), ['b', 'c'])
      assert.deepEqual(
        back.map(({ deliveryCount }) => deliveryCount),
        [1, 1],
      )
      assert.deepEqual(textsOf((await consumer.verify?.([known])) ?? []), ['a'])
      assert.deepEqual(await consumer.ack([known]), [])
      for (const round of [1, 2]) {
        const again = await reconcile(holder, [], 30_000)
        assert.equal(again.held, true, `held without claims, round ${String(round)}`)
      }
    },
  },
  {
    name: 'tells a renewal that comes too late what was lost',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume({ leaseMs: stage.leaseMs })
      const delivery = await takeOne(consumer)
      await takeOne(await stage.consume({}, await stage.open()), stage.leaseMs + 10_000)

      const renewal = await stage.broker.leases?.renew(consumer.holder ?? '', [delivery.tag], stage.leaseMs)

      assert.ok(renewal)
      assert.ok(!renewal.held || renewal.lostTags.includes(delivery.tag))
    },
  },
  {
    name: 'verifies which claims still hold',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume({ leaseMs: stage.leaseMs })
      const delivery = await takeOne(consumer)
      assert.deepEqual(textsOf((await consumer.verify?.([delivery])) ?? []), ['a'])

      await takeOne(await stage.consume({}, await stage.open()), stage.leaseMs + 10_000)

      assert.deepEqual(await consumer.verify?.([delivery]), [])
    },
  },
  {
    name: 'claims anew after it lost everything, or says that another consumer must',
    needs: 'leases',
    run: async (stage) => {
      await stage.publish(['a'])
      const consumer = await stage.consume({ leaseMs: stage.leaseMs })
      await takeOne(consumer)
      const other = await stage.consume()
      await other.ack([await takeOne(other, stage.leaseMs + 10_000)])

      await stage.publish(['b'])

      const [owner, next] = await takeAnew(stage, consumer)
      assert.deepEqual(textsOf([next]), ['b'])
      assert.deepEqual(await owner.ack([next]), [])
    },
  },
  {
    name: 'keeps what a killed process had claimed, and counts the delivery',
    needs: ['leases', 'crash'],
    run: async (stage) => {
      await stage.publish(['a', 'b', 'c'])

      await stage.subject.crash?.(stage.queue, 3, stage.leaseMs)

      const consumer = await stage.consume()
      const counts: number[] = []
      while (counts.length < 3) {
        const batch = await consumer.fetch(3, { waitMs: stage.leaseMs + 10_000, signal: never })
        assert.ok(batch.length > 0, 'a message is lost')
        counts.push(...batch.map((delivery) => delivery.deliveryCount))
      }
      assert.deepEqual(counts, [2, 2, 2])
    },
  },
  {
    name: 'keeps messages over a restart of its server',
    needs: ['durable', 'restart'],
    run: async (stage) => {
      await stage.publish(['a'])

      await stage.subject.restart?.()

      const broker = await stage.open()
      assert.deepEqual(textsOf([await takeOne(await stage.consume({}, broker))]), ['a'])
    },
  },
  {
    name: 'keeps delayed messages over a restart of its server',
    needs: ['durable', 'delays', 'restart'],
    run: async (stage) => {
      await stage.publish(['a'], { delayMs: 2_000 })

      await stage.subject.restart?.()

      const broker = await stage.open()
      assert.deepEqual(textsOf([await takeOne(await stage.consume({}, broker), 15_000)]), ['a'])
    },
  },
  {
    name: 'keeps delayed messages over a restart of its server, until they are due',
    needs: ['durable', 'delays', 'restart'],
    run: async (stage) => {
      await stage.publish(['soon'], { delayMs: 1_000 })
      await stage.publish(['late'], { delayMs: 3_600_000 })

      await stage.subject.restart?.()

      const consumer = await stage.consume({}, await stage.open())
      assert.deepEqual(textsOf([await takeOne(consumer, 30_000)]), ['soon'])
      await assertNothing(consumer)
    },
  },
])
