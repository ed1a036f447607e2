import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { packedLetter, readDeadLetter, toDeadLetter } from '../../../src/control/dead-letter.js'
import {
  listDeadLetters,
  purgeDeadLetters,
  replayDeadLetters,
  showDeadLetter,
} from '../../../src/control/dead-letters.js'
import type { Broker, Delivery } from '../../../src/broker/contract.js'
import { Lovage, PublishError } from '../../../src/index.js'
import { internalsOf } from '../../../src/util/internals.js'

const AT_MS = Date.UTC(2026, 0, 2)

function delivery(id: string): Delivery {
  return {
    message: {
      body: new TextEncoder().encode('[[1], {}, {}]'),
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      headers: { id, task: 'tasks.pay', own: 'kept' },
      properties: { correlationId: id, priority: 2 },
    },
    queue: 'pay',
    route: { exchange: '', routingKey: 'pay' },
    deliveryCount: 4,
    redelivered: true,
    due: false,
    tag: id,
  }
}

async function withLetters(ids: readonly string[], use: (broker: Broker) => Promise<void>): Promise<void> {
  const app = new Lovage('shop', { broker: `memory://${randomUUID()}`, backend: false })
  const broker = await internalsOf(app).openBroker()
  try {
    await broker.declare({ name: 'pay', lifetime: 'durable', bindings: [] })
    await broker.declare({ name: 'pay.dead', lifetime: 'durable', bindings: [] })
    const note = { reason: 'worker-lost' as const, detail: 'lost 3 times', atMs: AT_MS }
    await broker.publish(ids.map((id) => toDeadLetter(delivery(id), note)))
    await use(broker)
  } finally {
    await broker.close()
    await app.close()
  }
}

it('a dead letter outlives the time to live of its message, and is persistent', () => {
  const { message } = delivery('short')
  const properties = { ...message.properties, expirationMs: 5_000, persistent: false }
  const note = { reason: 'rejected' as const, detail: 'no', atMs: AT_MS }

  const letter = toDeadLetter({ ...delivery('short'), message: { ...message, properties } }, note)

  expect(letter.message.properties).toEqual({ correlationId: 'short', persistent: true })
})

describe('a dead letter whose headers are in its body', () => {
  const note = { reason: 'rejected' as const, detail: 'no', atMs: AT_MS }

  function packed(headers: Record<string, unknown>): Delivery | undefined {
    const { message, ...rest } = delivery('long')
    const letter = toDeadLetter(
      { ...rest, message: { ...message, headers: { ...message.headers, ...headers } } },
      note,
    )
    const smaller = packedLetter(letter)
    return smaller && { ...rest, queue: 'pay.dead', message: smaller.message }
  }

  it('is read as it was, and shows what it is without', () => {
    const text = 'x'.repeat(10_000)

    const letter = packed({ text, large: 2n ** 40n })

    if (letter === undefined) throw new RangeError('it was not packed')
    expect(Object.keys(letter.message.headers)).toEqual(
      expect.arrayContaining(['id', 'task', 'lovage-dead-reason']),
    )
    expect(letter.message.headers).not.toHaveProperty('text')
    const { message, reason } = readDeadLetter(letter)
    expect(reason).toBe('rejected')
    expect(message.headers).toEqual({ id: 'long', task: 'tasks.pay', own: 'kept', text, large: 2 ** 40 })
    expect(new TextDecoder().decode(message.body)).toBe('[[1], {}, {}]')
  })

  it('is made only where there are many, and once', () => {
    const letter = packed({ text: 'x'.repeat(10_000) })

    expect(packed({})).toBeUndefined()
    expect(letter && packedLetter({ message: letter.message, route: letter.route })).toBeUndefined()
  })

  it.each([5, 1_000, -1, 0.5, '5'])('is read as it is where its body holds none: %s', (length) => {
    const { message, ...rest } = delivery('other')
    const headers = { ...message.headers, 'lovage-dead-packed': length }

    const letter = readDeadLetter({ ...rest, message: { ...message, headers } })

    expect(letter.message.headers).toEqual(message.headers)
    expect(letter.message.body).toEqual(message.body)
  })
})

describe('dead letters', () => {
  it('are listed with reason, origin and count, and stay where they are', async () => {
    await withLetters(['a', 'b'], async (broker) => {
      const letters = await listDeadLetters(broker, 'pay')

      expect(letters).toMatchObject([
        {
          id: 'a',
          task: 'tasks.pay',
          reason: 'worker-lost',
          detail: 'lost 3 times',
          queue: 'pay',
          route: { exchange: '', routingKey: 'pay' },
          deliveries: 4,
          atMs: AT_MS,
        },
        { id: 'b' },
      ])
      expect(await broker.depth('pay.dead')).toBe(2)
    })
  })

  it('are looked at without spending a delivery', async () => {
    await withLetters(['a'], async (broker) => {
      for (let look = 0; look < 10; look += 1) await listDeadLetters(broker, 'pay')

      const consumer = await broker.consume(['pay.dead'], { credit: 1, leaseMs: 1000 })
      const [letter] = await consumer.fetch(1, { waitMs: 0, signal: new AbortController().signal })
      await consumer.close()
      expect(letter?.deliveryCount).toBe(1)
    })
  })

  it('are shown by id', async () => {
    await withLetters(['a', 'b', 'c'], async (broker) => {
      expect((await showDeadLetter(broker, 'pay', 'b'))?.id).toBe('b')
      expect(await showDeadLetter(broker, 'pay', 'z')).toBeUndefined()
    })
  })

  it('are replayed where they came from, as they were', async () => {
    await withLetters(['a', 'b'], async (broker) => {
      const sent = await replayDeadLetters(broker, 'pay', { ids: ['b'] })

      const consumer = await broker.consume(['pay'], { credit: 9, leaseMs: 1000 })
      const [back] = await consumer.fetch(9, { waitMs: 0, signal: new AbortController().signal })
      await consumer.close()
      expect(sent.map((letter) => letter.id)).toEqual(['b'])
      expect(back?.message.headers).toEqual({ id: 'b', task: 'tasks.pay', own: 'kept' })
      expect(back?.deliveryCount).toBe(1)
      expect(await broker.depth('pay.dead')).toBe(1)
    })
  })

  it('are replayed to the one queue they died in, whatever exchange they came by', async () => {
    await withLetters([], async (broker) => {
      const note = { reason: 'failed' as const, detail: 'once', atMs: AT_MS }
      const fromExchange = { ...delivery('a'), route: { exchange: 'news', routingKey: 'all' } }
      await broker.publish([toDeadLetter(fromExchange, note)])

      await replayDeadLetters(broker, 'pay')

      expect(await broker.depth('pay')).toBe(1)
    })
  })

  it('that were sent are not sent again when others of the batch could not be', async () => {
    await withLetters(['a', 'b'], async (broker) => {
      const note = { reason: 'failed' as const, detail: 'once', atMs: AT_MS }
      const homeless = toDeadLetter({ ...delivery('c'), queue: 'gone' }, note)
      await broker.publish([{ ...homeless, route: { exchange: '', routingKey: 'pay.dead' } }])

      for (let times = 0; times < 2; times += 1)
        await expect(replayDeadLetters(broker, 'pay')).rejects.toThrow(PublishError)

      expect(await broker.depth('pay')).toBe(2)
      expect((await listDeadLetters(broker, 'pay')).map((letter) => letter.id)).toEqual(['c'])
    })
  })

  it('are purged all at once or by id', async () => {
    await withLetters(['a', 'b', 'c'], async (broker) => {
      expect(await purgeDeadLetters(broker, 'pay', { ids: ['a'] })).toBe(1)
      expect(await purgeDeadLetters(broker, 'pay')).toBe(2)
      expect(await broker.depth('pay.dead')).toBe(0)
    })
  })

  it('of a queue that never had any are none', async () => {
    await withLetters([], async (broker) => {
      expect(await listDeadLetters(broker, 'other')).toEqual([])
      expect(await purgeDeadLetters(broker, 'other')).toBe(0)
    })
  })

  it('stay claimed while a replay takes longer than the lease', async () => {
    const app = new Lovage('shop', { broker: `memory://${randomUUID()}?leases=true`, backend: false })
    await using _closed = app
    const [broker, other] = await Promise.all([internalsOf(app).openBroker(), internalsOf(app).openBroker()])
    const ids = Array.from({ length: 150 }, (_, index) => `id-${index}`)
    for (const name of ['pay', 'pay.dead']) await broker.declare({ name, lifetime: 'durable', bindings: [] })
    const note = { reason: 'worker-lost' as const, detail: 'lost 3 times', atMs: AT_MS }
    await broker.publish(ids.map((id) => toDeadLetter(delivery(id), note)))
    const rival = await other.consume(['pay.dead'], { credit: 1000, leaseMs: 1000 })
    let stolen = 0
    const publish = broker.publish.bind(broker)
    broker.publish = async (batch) => {
      stolen += (await rival.fetch(100, { waitMs: 1500, signal: new AbortController().signal })).length
      await publish(batch)
    }

    const sent = await replayDeadLetters(broker, 'pay', { leaseMs: 600 })

    expect(sent).toHaveLength(150)
    expect(stolen).toBe(0)
    expect(await broker.depth('pay')).toBe(150)
    await Promise.all([broker.close(), other.close()])
  })
})
