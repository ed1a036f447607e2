import { field, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, send } from '../program/bench-app.js'
import { byBullMq } from '../program/peer.js'
import { redisStore, withRedis } from '../program/redis-place.js'
import { rawEnqueue } from '../program/redis-raw.js'

const COUNT = 20_000
const WARM_UP = 5_000

function byDelay(): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url))
    await send(bench, WARM_UP)
    const stopwatch = new Stopwatch()
    await send(bench, COUNT)
    const sample = stopwatch.read(COUNT)
    await bench.app.close()
    return sample
  })
}

function byBulk(): Promise<Sample> {
  return withRedis(async (url) => {
    const bench = benchApp(redisStore(url))
    const sendAll = async (count: number): Promise<void> => {
      for (let sent = 0; sent < count; sent += 1000)
        await bench.noop.bulk(Array.from({ length: 1000 }, (_, index): [number] => [sent + index]))
    }
    await sendAll(WARM_UP)
    const stopwatch = new Stopwatch()
    await sendAll(COUNT)
    const sample = stopwatch.read(COUNT)
    await bench.app.close()
    return sample
  })
}

function rate(contestant: string, of: string, atLeast: number): Scenario['goals'][number] {
  return {
    name: `${contestant}: rate, of ${of}`,
    atLeast,
    value: (sample) => field(sample(contestant), 'perSecond') / field(sample(of), 'perSecond'),
  }
}

/** How near sends come to raw pushes in shared packets. */
export const redisEnqueue: Scenario = {
  name: 'redis-enqueue',
  about: `Enqueue of ${COUNT} tasks on Redis, against raw LPUSH of the same message, and BullMQ.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withRedis((url) => rawEnqueue(url, COUNT)) },
    { name: 'delay, 100 in flight', run: byDelay },
    { name: 'bulk, 1000 a call', run: byBulk },
    { name: 'BullMQ add', run: () => withRedis((url) => byBullMq('add', url, String(COUNT), '1')) },
    { name: 'BullMQ addBulk', run: () => withRedis((url) => byBullMq('bulk', url, String(COUNT), '1')) },
  ],
  goals: [
    rate('delay, 100 in flight', 'raw', 0.8),
    rate('delay, 100 in flight', 'BullMQ add', 1.3),
    rate('bulk, 1000 a call', 'BullMQ addBulk', 3),
  ],
}
