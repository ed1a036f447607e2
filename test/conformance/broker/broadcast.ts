import assert from 'node:assert/strict'
import { eventually } from '../time.js'
import type { Fanout } from '../../../src/broker/contract.js'
import { newName, toMessage, brokerChecks } from './stage.js'
import type { BrokerCheck, BrokerStage } from './stage.js'

async function listen(
  stage: BrokerStage,
  bindings: readonly { exchange: string; routingKey: string }[],
): Promise<{ heard: string[]; close(): Promise<void> }> {
  const heard: string[] = []
  const fanout = fanoutOf(await stage.open())
  const subscription = await fanout.subscribe(
    bindings.map((binding) => ({ ...binding, type: 'topic' })),
    {
      message: (route, message) =>
        heard.push(`${route.routingKey}:${new TextDecoder().decode(message.body)}`),
      lost: () => undefined,
    },
  )
  return { heard, close: () => subscription.close() }
}

function fanoutOf(broker: { readonly fanout?: Fanout }): Fanout {
  assert.ok(broker.fanout)
  return broker.fanout
}

/** Messages to everyone who listens, kept for nobody. */
export const broadcastChecks: readonly BrokerCheck[] = brokerChecks([
  {
    name: 'broadcasts to every listener of another instance',
    needs: 'broadcast',
    run: async (stage) => {
      const exchange = newName('exchange')
      const one = await listen(stage, [{ exchange, routingKey: '#' }])
      const other = await listen(stage, [{ exchange, routingKey: '#' }])

      await fanoutOf(stage.broker).broadcast({ exchange, routingKey: 'k' }, toMessage('hello'))

      await eventually(() => one.heard.length + other.heard.length === 2)
      assert.deepEqual([one.heard, other.heard], [['k:hello'], ['k:hello']])
    },
  },
  {
    name: 'broadcasts only what a listener is bound to',
    needs: 'broadcast',
    run: async (stage) => {
      const exchange = newName('exchange')
      const listener = await listen(stage, [{ exchange, routingKey: 'worker.#' }])
      const fanout = fanoutOf(stage.broker)

      await fanout.broadcast(
        { exchange: newName('exchange'), routingKey: 'worker.a' },
        toMessage('elsewhere'),
      )
      await fanout.broadcast({ exchange, routingKey: 'task.sent' }, toMessage('no'))
      await fanout.broadcast({ exchange, routingKey: 'worker.online' }, toMessage('yes'))

      await eventually(() => listener.heard.length > 0)
      assert.deepEqual(listener.heard, ['worker.online:yes'])
    },
  },
  {
    name: 'broadcasts nothing to a listener that has left',
    needs: 'broadcast',
    run: async (stage) => {
      const exchange = newName('exchange')
      const left = await listen(stage, [{ exchange, routingKey: '#' }])
      const stays = await listen(stage, [{ exchange, routingKey: '#' }])

      await left.close()
      await fanoutOf(stage.broker).broadcast({ exchange, routingKey: 'k' }, toMessage('late'))

      await eventually(() => stays.heard.length === 1)
      assert.deepEqual(left.heard, [])
    },
  },
])
