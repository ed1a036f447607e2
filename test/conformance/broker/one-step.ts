import assert from 'node:assert/strict'
import type { OneStepResults, ResultBackend, TaskRecord } from '../../../src/backend/contract.js'
import type { Settlement } from '../../../src/broker/contract.js'
import { assertNothing, codeOf, newName, take, takeOne, textsOf, brokerChecks } from './stage.js'
import type { BrokerCheck } from './stage.js'

function success(taskId: string, result: unknown): TaskRecord {
  return { taskId, state: 'SUCCESS', result, children: [], doneAtMs: Date.now() }
}

async function resultOf(results: ResultBackend, taskId: string): Promise<unknown> {
  return (await results.load([taskId])).get(taskId)?.result
}

/** Results of a store that no broker is on. */
const FOREIGN: OneStepResults = { storeId: 'another store', writer: {} }

/** Settling message, follow-ups and result together, where one store holds them all. */
export const oneStepChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'offers no settlement in one step with results that are kept elsewhere',
    run: async (stage) => {
      const consumer = await stage.consume({ results: FOREIGN })
      const without = await stage.consume()

      assert.equal(consumer.settle, undefined)
      assert.equal(without.settle, undefined)
    },
  },
  {
    name: 'acknowledges, publishes and stores in one step',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const taskId = newName('task')
      await stage.publish(['a'])
      const consumer = await stage.consume({ results: results.oneStep })
      const delivery = await takeOne(consumer)

      const lost = await consumer.settle?.([
        {
          delivery,
          publish: [stage.outgoing('next'), stage.outgoing('more')],
          record: success(taskId, { sum: 3 }),
        },
      ])

      assert.deepEqual(lost, [])
      assert.deepEqual(await resultOf(results, taskId), { sum: 3 })
      assert.deepEqual(textsOf(await take(consumer, 2)), ['next', 'more'])
      assert.deepEqual(textsOf(await consumer.ack([delivery])), ['a'])
    },
  },
  {
    name: 'applies nothing of a settlement whose claim was lost, and all of the others',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const [held, lostId] = [newName('task'), newName('task')]
      await stage.publish(['lost', 'held'])
      const consumer = await stage.consume({ results: results.oneStep })
      const [first, second] = await take(consumer, 2)
      assert.ok(first && second)
      await consumer.ack([first])
      const settlements: Settlement[] = [
        { delivery: first, publish: [stage.outgoing('ghost')], record: success(lostId, 'ghost') },
        { delivery: second, publish: [stage.outgoing('next')], record: success(held, 'done') },
      ]

      const lost = await consumer.settle?.(settlements)

      assert.deepEqual(textsOf(lost ?? []), ['lost'])
      assert.equal(await resultOf(results, lostId), undefined)
      assert.equal(await resultOf(results, held), 'done')
      assert.deepEqual(textsOf(await take(consumer, 1)), ['next'])
      await assertNothing(consumer)
    },
  },
  {
    name: 'refuses the settlement of a stale owner',
    needs: ['leases', 'settle'],
    run: async (stage) => {
      const results = await stage.openResults()
      const taskId = newName('task')
      await stage.publish(['a'])
      const stale = await stage.consume({ results: results.oneStep, leaseMs: stage.leaseMs })
      const delivery = await takeOne(stale)
      const owner = await stage.consume({ results: results.oneStep }, await stage.open())
      const again = await takeOne(owner, stage.leaseMs + 10_000)

      const lost = await stale.settle?.([
        { delivery, publish: [stage.outgoing('ghost')], record: success(taskId, 'ghost') },
      ])

      assert.deepEqual(textsOf(lost ?? []), ['a'])
      assert.equal(await resultOf(results, taskId), undefined)
      await assertNothing(await stage.consume())
      assert.deepEqual(
        await owner.settle?.([{ delivery: again, publish: [], record: success(taskId, 'real') }]),
        [],
      )
      assert.equal(await resultOf(results, taskId), 'real')
    },
  },
  {
    name: 'stores and gives back in one step',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const taskId = newName('task')
      await stage.publish(['a'])
      const consumer = await stage.consume({ results: results.oneStep })
      const delivery = await takeOne(consumer)

      await consumer.settle?.([
        {
          delivery,
          publish: [],
          record: { ...success(taskId, 'try again'), state: 'RETRY' },
          handBack: { delayMs: 0, unspent: false, headers: { tries: 1 } },
        },
      ])

      const again = await takeOne(consumer)
      assert.equal(again.deliveryCount, 2)
      assert.deepEqual(again.message.headers, { tries: 1 })
      assert.equal((await results.load([taskId])).get(taskId)?.state, 'RETRY')
    },
  },
  {
    name: 'settles without a result',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      await stage.publish(['a', 'b'])
      const consumer = await stage.consume({ results: results.oneStep })
      const deliveries = await take(consumer, 2)

      assert.deepEqual(await consumer.settle?.(deliveries.map((delivery) => ({ delivery, publish: [] }))), [])

      await consumer.close()
      assert.deepEqual(textsOf(await stage.peek()), [])
    },
  },
  {
    name: 'delays a follow-up message of a settlement',
    needs: ['settle', 'delays'],
    run: async (stage) => {
      const results = await stage.openResults()
      await stage.publish(['a'])
      const consumer = await stage.consume({ results: results.oneStep })
      const delivery = await takeOne(consumer)

      await consumer.settle?.([{ delivery, publish: [stage.outgoing('retry', { delayMs: 200 })] }])

      await assertNothing(consumer)
      const retry = await takeOne(consumer, 10_000)
      assert.equal(retry.due, true)
    },
  },
  {
    name: 'applies nothing when a follow-up message reaches no queue',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const taskId = newName('task')
      await stage.publish(['a'])
      const consumer = await stage.consume({ results: results.oneStep })
      const delivery = await takeOne(consumer)
      const nowhere = stage.outgoing('ghost', {}, newName('missing'))

      const settling = consumer.settle?.([{ delivery, publish: [nowhere], record: success(taskId, 'ghost') }])

      assert.equal(await codeOf(settling ?? Promise.resolve()), 'LOVAGE_PUBLISH')
      assert.equal(await resultOf(results, taskId), undefined)
      assert.deepEqual(await consumer.ack([delivery]), [], 'the claim still holds')
    },
  },
  {
    name: 'settles a large batch',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const ids = Array.from({ length: 500 }, () => newName('task'))
      await stage.publish(ids)
      const consumer = await stage.consume({ results: results.oneStep })
      const deliveries = await take(consumer, ids.length)

      const lost = await consumer.settle?.(
        deliveries.map((delivery, index) => ({
          delivery,
          publish: [],
          record: success(ids[index] ?? '', index),
        })),
      )

      assert.deepEqual(lost, [])
      const records = await results.load(ids)
      assert.deepEqual(
        ids.map((id) => records.get(id)?.result),
        ids.map((_, index) => index),
      )
      assert.equal(await stage.broker.depth(stage.queue), 0)
    },
  },
  {
    name: 'keeps the first success, and settles the message of a second one all the same',
    needs: 'settle',
    run: async (stage) => {
      const results = await stage.openResults()
      const taskId = newName('task')
      await results.store([success(taskId, 'first')], { ttlMs: 0 })
      await stage.publish(['a'])
      const consumer = await stage.consume({ results: results.oneStep })
      const delivery = await takeOne(consumer)

      const lost = await consumer.settle?.([
        { delivery, publish: [], record: { ...success(taskId, 'second'), state: 'FAILURE' } },
      ])

      assert.deepEqual(lost, [])
      assert.equal(await resultOf(results, taskId), 'first')
      assert.equal(await stage.broker.depth(stage.queue), 0)
    },
  },
])
