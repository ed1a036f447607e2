import { describe, expect, it } from '@jest/globals'
import { createBackend } from '../../../../backends/memory/index.js'
import { createBroker } from '../../../../brokers/memory/index.js'
import { parseConnectionUrl } from '../../../../src/broker/connection-url.js'
import { jsonCodec } from '../../../conformance/index.js'
import { ManualClock } from '../../../support/manual-clock.js'
import { outgoing } from '../../../support/messages.js'

const never = new AbortController().signal
const HOUR_MS = 3_600_000

async function openQueue(url: string, clock: ManualClock): Promise<ReturnType<typeof createBroker>> {
  const broker = createBroker(parseConnectionUrl(url), { clock })
  await broker.declare({ name: 'q', lifetime: 'durable', bindings: [] })
  return broker
}

/** A millisecond passes between any two looks at it, and timers ring two early. */
class PassingClock extends ManualClock {
  #looks = 0

  override now(): number {
    this.#looks += 1
    return super.now() + this.#looks
  }

  override setTimer(delayMs: number, fn: () => void): () => void {
    return super.setTimer(Math.max(0, delayMs - 2), fn)
  }

  override advance(ms: number): void {
    this.#looks = 0
    super.advance(ms)
  }
}

describe('the memory broker', () => {
  it('shares a store by name, and keeps others apart', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://one', clock)
    await broker.publish([outgoing('q', 'a')])

    const same = createBroker(parseConnectionUrl('memory://one'), { clock })
    const other = createBroker(parseConnectionUrl('memory://two'), { clock })

    expect(await same.depth('q')).toBe(1)
    expect(await other.depth('q')).toBe(0)
  })

  it('delivers by the clock it was given', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://', clock)
    const consumer = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
    const fetching = consumer.fetch(1, { waitMs: 30 * HOUR_MS, signal: never })
    await broker.publish([outgoing('q', 'a', { delayMs: HOUR_MS })])

    clock.advance(HOUR_MS - 1)
    expect(await broker.depth('q')).toBe(0)
    clock.advance(1)

    expect(await fetching).toHaveLength(1)
  })

  it.each([100, 101])(
    'delivers what becomes due in %i ms, while a timer that rang early is handled',
    async (ms) => {
      const clock = new PassingClock()
      const broker = await openQueue('memory://', clock)
      const consumer = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
      let count = 0
      void consumer.fetch(1, { waitMs: HOUR_MS, signal: never }).then((batch) => {
        count = batch.length
      })
      await broker.publish([outgoing('q', 'a', { notBeforeMs: clock.now() + ms })])

      clock.advance(200)
      await new Promise((resolve) => setImmediate(resolve))

      expect(count).toBe(1)
    },
  )

  it('sets one timer for any number of delayed messages', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://', clock)
    const consumer = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
    const fetching = consumer.fetch(1, { waitMs: 30 * HOUR_MS, signal: never })

    await broker.publish(
      Array.from({ length: 1_000 }, (_, index) => outgoing('q', 'a', { delayMs: HOUR_MS + index })),
    )
    await new Promise((resolve) => setImmediate(resolve))

    expect(clock.waiting).toBe(1)
    clock.advance(HOUR_MS)
    expect(await fetching).toHaveLength(1)
  })

  it('sets no timer that fires at once again and again while nobody has credit', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://', clock)
    await broker.publish([outgoing('q', 'a'), outgoing('q', 'a', { delayMs: 10 })])
    const consumer = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
    const [first] = await consumer.fetch(1, { waitMs: 0, signal: never })
    const fetching = consumer.fetch(1, { waitMs: HOUR_MS, signal: never })

    clock.advance(1_000)
    expect(clock.waiting).toBe(1)
    if (first !== undefined) await consumer.ack([first])

    expect(await fetching).toHaveLength(1)
  })

  it('hands out what has expired, so that the result can say so', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://', clock)
    await broker.publish([
      outgoing('q', 'a', { properties: { expirationMs: 100 } }),
      outgoing('q', 'a', { properties: { expirationMs: 10_000 } }),
    ])
    const consumer = await broker.consume(['q'], { credit: 10, leaseMs: 1_000 })

    clock.advance(100)

    expect(await consumer.fetch(10, { waitMs: 0, signal: never })).toHaveLength(2)
  })

  it('deletes a queue that nobody has used for as long as it says', async () => {
    const clock = new ManualClock()
    const broker = createBroker(parseConnectionUrl('memory://'), { clock })
    await broker.declare({ name: 'reply', lifetime: 'durable', expiresMs: 1_000, bindings: [] })
    const consumer = await broker.consume(['reply'], { credit: 1, leaseMs: 1_000 })

    clock.advance(5_000)
    expect(await broker.queues?.()).toEqual(['reply'])
    await consumer.close()
    clock.advance(1_000)

    expect(await broker.queues?.()).toEqual([])
  })

  it('deletes a transient queue with the connection that declared it', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://', clock)
    const other = createBroker(parseConnectionUrl('memory://'), { clock })
    await other.declare({ name: 'reply', lifetime: 'transient', bindings: [] })

    await other.close()

    expect(await broker.queues?.()).toEqual(['q'])
  })

  it('lets a lease run out while another consumer waits', async () => {
    const clock = new ManualClock()
    const broker = await openQueue('memory://?leases=true', clock)
    await broker.publish([outgoing('q', 'a')])
    const stale = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
    const other = await broker.consume(['q'], { credit: 1, leaseMs: 1_000 })
    expect(await stale.fetch(1, { waitMs: 0, signal: never })).toHaveLength(1)
    const fetching = other.fetch(1, { waitMs: HOUR_MS, signal: never })

    clock.advance(1_000)

    const [again] = await fetching
    expect(again?.deliveryCount).toBe(2)
  })
})

describe('the memory backend', () => {
  it('sweeps expired records while it is written to', async () => {
    const clock = new ManualClock()
    const backend = createBackend(parseConnectionUrl('memory://'), { clock, codec: jsonCodec })
    const store = (id: string): Promise<void> =>
      backend.store([{ taskId: id, state: 'SUCCESS', result: 1, children: [] }], { ttlMs: 1_000 })
    for (let index = 0; index < 500; index += 1) await store(`old-${String(index)}`)
    clock.advance(1_000)

    for (let index = 0; index < 500; index += 1) await store(`new-${String(index)}`)

    expect(await backend.cleanup?.()).toBe(0)
    expect((await backend.load(['new-499', 'old-499'])).size).toBe(1)
  })

  it('gives values back as the serializer wrote them', async () => {
    const backend = createBackend(parseConnectionUrl('memory://'), { codec: jsonCodec })
    const result = { when: new Date(0), gone: undefined }
    await backend.store([{ taskId: 'json', state: 'SUCCESS', result, children: [] }], { ttlMs: 0 })

    const record = (await backend.load(['json'])).get('json')

    expect(record?.result).toEqual({ when: '1970-01-01T00:00:00.000Z' })
  })
})

describe('a broadcast that a listener cannot handle', () => {
  it('keeps back none after it, and none of the other listeners', async () => {
    const broker = createBroker(parseConnectionUrl('memory://throwing-listener'), {
      clock: new ManualClock(),
    })
    const heard: string[] = []
    const bindings = [{ exchange: 'news', type: 'fanout', routingKey: '' }] as const
    const lost = (): void => undefined
    await broker.fanout?.subscribe(bindings, {
      message: () => {
        heard.push('odd')
        throw new TypeError('odd')
      },
      lost,
    })
    await broker.fanout?.subscribe(bindings, { message: () => heard.push('even'), lost })
    const { message } = outgoing('q', 'a')

    await broker.fanout?.broadcast({ exchange: 'news', routingKey: '' }, message)
    await broker.fanout?.broadcast({ exchange: 'news', routingKey: '' }, message)
    await new Promise(setImmediate)

    expect(heard).toEqual(['odd', 'even', 'odd', 'even'])
  })
})
