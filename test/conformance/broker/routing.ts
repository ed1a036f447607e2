import assert from 'node:assert/strict'
import type { Binding, ExchangeType } from '../../../src/broker/contract.js'
import { codeOf, drain, newName, textsOf, toMessage, brokerChecks } from './stage.js'
import type { BrokerCheck, BrokerStage } from './stage.js'

/** Declare one queue for each key or binding argument, all bound to one exchange. */
async function bindAll(
  stage: BrokerStage,
  exchange: string,
  bindings: readonly Omit<Binding, 'exchange'>[],
): Promise<readonly string[]> {
  const queues = bindings.map(() => newName('queue'))
  for (const [index, binding] of bindings.entries()) {
    const name = queues[index] ?? ''
    await stage.broker.declare({ name, lifetime: 'durable', bindings: [{ exchange, ...binding }] })
  }
  return queues
}

async function textsIn(stage: BrokerStage, queue: string): Promise<string[]> {
  const consumer = await stage.consumeFrom([queue])
  const texts = textsOf(await drain(consumer))
  await consumer.close()
  return texts
}

async function send(
  stage: BrokerStage,
  exchange: string,
  routingKey: string,
  headers: Record<string, unknown> = {},
): Promise<void> {
  await stage.broker.publish([
    { route: { exchange, routingKey }, message: toMessage(routingKey, { headers }) },
  ])
}

function refusal(type: ExchangeType): BrokerCheck {
  return {
    name: `refuses ${type} exchanges by name when it has none`,
    lacks: type,
    run: async (stage) => {
      const binding = { exchange: newName('exchange'), type, routingKey: newName('key') }
      const { exchanges } = stage.broker.capabilities
      const declaring = stage.broker.declare({
        name: newName('queue'),
        lifetime: 'durable',
        bindings: [binding],
      })

      // Where only queues can be addressed, a direct binding is kept for the driver.
      if (type === 'direct' && exchanges.length === 0) await declaring
      else assert.equal(await codeOf(declaring), 'LOVAGE_UNSUPPORTED')
    },
  }
}

/** Exchanges and bindings. */
export const routingChecks: readonly BrokerCheck[] = brokerChecks([
  refusal('direct'),
  refusal('topic'),
  refusal('fanout'),
  refusal('headers'),
  {
    name: 'routes through a direct exchange by the exact key',
    needs: 'direct',
    run: async (stage) => {
      const exchange = newName('exchange')
      const [red = '', both = ''] = await bindAll(stage, exchange, [
        { type: 'direct', routingKey: 'red' },
        { type: 'direct', routingKey: 'red' },
      ])
      await stage.broker.declare({
        name: both,
        lifetime: 'durable',
        bindings: [{ exchange, type: 'direct', routingKey: 'blue' }],
      })

      await send(stage, exchange, 'red')
      await send(stage, exchange, 'blue')

      assert.deepEqual(await textsIn(stage, red), ['red'])
      assert.deepEqual(await textsIn(stage, both), ['red', 'blue'])
    },
  },
  {
    name: 'routes through a topic exchange by words, * for one and # for any number',
    needs: 'topic',
    run: async (stage) => {
      const exchange = newName('exchange')
      const patterns = ['video.#', '*.hd', 'a.*.c', '#', 'a.#.z', 'video.hd']
      const queues = await bindAll(
        stage,
        exchange,
        patterns.map((routingKey) => ({ type: 'topic', routingKey })),
      )

      const keys = ['video.hd', 'video.hd.long', 'a.b.c', 'a.b.b.c', 'a.x.y.z', 'other']
      for (const key of keys) await send(stage, exchange, key)

      const reached = await Promise.all(queues.map((queue) => textsIn(stage, queue)))
      assert.deepEqual(reached, [
        ['video.hd', 'video.hd.long'],
        ['video.hd'],
        ['a.b.c'],
        keys,
        ['a.x.y.z'],
        ['video.hd'],
      ])
    },
  },
  {
    name: 'routes through a fanout exchange to every queue',
    needs: 'fanout',
    run: async (stage) => {
      const exchange = newName('exchange')
      const queues = await bindAll(stage, exchange, [
        { type: 'fanout', routingKey: '' },
        { type: 'fanout', routingKey: 'ignored' },
      ])

      await send(stage, exchange, 'anything')

      for (const queue of queues) assert.deepEqual(await textsIn(stage, queue), ['anything'])
    },
  },
  {
    name: 'routes through a headers exchange by all or any of the arguments',
    needs: 'headers',
    run: async (stage) => {
      const exchange = newName('exchange')
      const [all = '', any = ''] = await bindAll(stage, exchange, [
        { type: 'headers', routingKey: '', arguments: { 'x-match': 'all', kind: 'pdf', size: 1 } },
        { type: 'headers', routingKey: '', arguments: { 'x-match': 'any', kind: 'pdf', size: 1 } },
      ])

      await send(stage, exchange, 'both', { kind: 'pdf', size: 1 })
      await send(stage, exchange, 'one', { kind: 'pdf', size: 2 })

      assert.deepEqual(await textsIn(stage, all), ['both'])
      assert.deepEqual(await textsIn(stage, any), ['both', 'one'])
    },
  },
  {
    name: 'puts a message into a queue once, however many bindings match',
    needs: 'topic',
    run: async (stage) => {
      const exchange = newName('exchange')
      const name = newName('queue')
      const bindings = ['#', 'a.*', 'a.b'].map((routingKey) => ({
        exchange,
        type: 'topic' as const,
        routingKey,
      }))
      await stage.broker.declare({ name, lifetime: 'durable', bindings })

      await send(stage, exchange, 'a.b')

      assert.deepEqual(await textsIn(stage, name), ['a.b'])
    },
  },
  {
    name: 'keeps the exchange and the key of a delivery',
    needs: 'direct',
    run: async (stage) => {
      const exchange = newName('exchange')
      const [queue = ''] = await bindAll(stage, exchange, [{ type: 'direct', routingKey: 'key' }])
      await send(stage, exchange, 'key')

      const [delivery] = await drain(await stage.consumeFrom([queue]))

      assert.deepEqual(delivery?.route, { exchange, routingKey: 'key' })
    },
  },
  {
    name: 'sees the bindings that another instance declared',
    needs: 'direct',
    run: async (stage) => {
      const exchange = newName('exchange')
      const other = await stage.open()
      const [queue = ''] = await bindAll(stage, exchange, [{ type: 'direct', routingKey: 'key' }])

      await other.publish([{ route: { exchange, routingKey: 'key' }, message: toMessage('a') }])

      assert.deepEqual(await textsIn(stage, queue), ['a'])
    },
  },
  {
    name: 'does not confirm a message that an exchange routes nowhere',
    needs: 'direct',
    run: async (stage) => {
      const exchange = newName('exchange')
      await bindAll(stage, exchange, [{ type: 'direct', routingKey: 'key' }])

      assert.equal(await codeOf(send(stage, exchange, 'other')), 'LOVAGE_PUBLISH')
      assert.equal(await codeOf(send(stage, newName('missing'), 'key')), 'LOVAGE_PUBLISH')
    },
  },
  {
    name: 'routes nothing to a queue that was deleted',
    needs: 'direct',
    run: async (stage) => {
      const exchange = newName('exchange')
      const [queue = ''] = await bindAll(stage, exchange, [{ type: 'direct', routingKey: 'key' }])
      await stage.broker.delete(queue)

      assert.equal(await codeOf(send(stage, exchange, 'key')), 'LOVAGE_PUBLISH')
    },
  },
])
