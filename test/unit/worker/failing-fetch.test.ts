import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { createBroker } from '../../../brokers/memory/index.js'
import { BrokerConnectionError } from '../../../src/errors/errors.js'
import { Bench } from './harness.js'

/** A bench whose store can be opened, and fails at each fetch while `isBroken`. */
function brokenBench(): { readonly bench: Bench; readonly store: { isBroken: boolean; opened: number } } {
  const url = `memory://${randomUUID()}`
  const bench = new Bench({ broker: 'broken://', backend: url })
  const store = { isBroken: true, opened: 0 }
  bench.app.brokers.register({
    schemes: ['broken'],
    load: async () => ({
      createBroker: (_url, options) => {
        const broker = createBroker(bench.app.brokers.find(url).url, options)
        const consume = broker.consume.bind(broker)
        broker.consume = async (queues, how) => {
          store.opened += 1
          const consumer = await consume(queues, how)
          const fetch = consumer.fetch.bind(consumer)
          consumer.fetch = async (max, asked) => {
            const batch = store.isBroken ? [] : await fetch(max, asked)
            if (store.isBroken) throw new BrokerConnectionError('fetch failed')
            return batch
          }
          return consumer
        }
        return broker
      },
    }),
  })
  return { bench, store }
}

function pausesOf(bench: Bench): number[] {
  return bench.log.lines
    .filter((line) => line.message.includes('Trying again in'))
    .map((line) => Number(line.fields['delayMs']))
}

describe('a store that opens and fails at each fetch', () => {
  it('is asked again after growing pauses, which begin anew after a good fetch', async () => {
    const { bench, store } = brokenBench()
    await using _ending = bench
    const add = bench.app.task('tasks.add', (x: number, y: number) => x + y)
    await bench.start()

    const [first = 0, second = 0, third = 0] = await eventually(() =>
      pausesOf(bench).length < 3 ? undefined : pausesOf(bench),
    )
    expect(store.opened).toBe(3)
    expect([first >= 250, second >= 500, third >= 1_000]).toEqual([true, true, true])
    store.isBroken = false
    expect(await (await add.delay(1, 2)).get(10)).toBe(3)
    store.isBroken = true
    await add.delay(1, 2)
    const pauses = await eventually(() => (pausesOf(bench).length < 4 ? undefined : pausesOf(bench)))

    expect(pauses[3]).toBeLessThanOrEqual(500)
    expect(store.opened).toBe(5)
  })
})
