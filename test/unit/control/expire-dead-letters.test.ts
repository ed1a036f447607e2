import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { toDeadLetter } from '../../../src/control/dead-letter.js'
import { listDeadLetters, replayDeadLetters } from '../../../src/control/dead-letters.js'
import { expireDeadLetters } from '../../../src/control/expire-dead-letters.js'
import type { Broker, Delivery } from '../../../src/broker/contract.js'
import { Lovage } from '../../../src/index.js'
import { internalsOf } from '../../../src/util/internals.js'
import { deliveryOf } from '../../support/messages.js'

const AT_MS = Date.UTC(2026, 0, 2)
const DAY_MS = 86_400_000
const UNLIMITED = { expiresMs: Number.POSITIVE_INFINITY, maxLength: Number.POSITIVE_INFINITY }

function delivery(id: string, priority = 0): Delivery {
  const message = {
    body: new TextEncoder().encode('[[], {}, {}]'),
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: { id, task: 'tasks.pay' },
    properties: { correlationId: id, priority, expirationMs: 5 },
  }
  return deliveryOf(id, { queue: 'pay', message })
}

describe('the dead letters of a queue', () => {
  let app: Lovage
  let broker: Broker

  beforeEach(async () => {
    app = new Lovage('shop', { broker: `memory://${randomUUID()}`, backend: false })
    broker = await internalsOf(app).openBroker()
    for (const name of ['pay', 'pay.dead']) await broker.declare({ name, lifetime: 'durable', bindings: [] })
  })

  afterEach(async () => {
    await broker.close()
    await app.close()
  })

  async function die(id: string, atMs: number, priority = 0): Promise<void> {
    const note = { reason: 'rejected' as const, detail: 'no', atMs, expiresMs: DAY_MS }
    await broker.publish([toDeadLetter(delivery(id, priority), note)])
  }

  async function ids(): Promise<readonly string[]> {
    return (await listDeadLetters(broker, 'pay')).map(({ id }) => id)
  }

  it('go when they are too old, whatever their priority', async () => {
    await die('old', AT_MS)
    await die('old and urgent', AT_MS + 1, 9)
    await die('young and urgent', AT_MS + DAY_MS, 9)
    await die('young', AT_MS + DAY_MS)

    const dropped = await expireDeadLetters(
      broker,
      'pay',
      { ...UNLIMITED, expiresMs: DAY_MS },
      AT_MS + DAY_MS + 2,
    )

    expect(dropped).toBe(2)
    expect(await ids()).toEqual(['young and urgent', 'young'])
  })

  it('go when they are too many, the oldest first', async () => {
    for (let index = 0; index < 250; index += 1) await die(`${index}`, AT_MS + index, index % 10)

    const dropped = await expireDeadLetters(broker, 'pay', { ...UNLIMITED, maxLength: 3 }, AT_MS)

    expect(dropped).toBe(247)
    expect(await ids()).toEqual(['247', '248', '249'])
  })

  it('stay without limits, and where they have no date', async () => {
    await broker.publish([
      { route: { exchange: '', routingKey: 'pay.dead' }, message: delivery('foreign').message },
    ])
    await die('own', AT_MS)

    expect(await expireDeadLetters(broker, 'pay', UNLIMITED, AT_MS + 100 * DAY_MS)).toBe(0)
    expect(
      await expireDeadLetters(broker, 'pay', { ...UNLIMITED, expiresMs: DAY_MS }, AT_MS + 100 * DAY_MS),
    ).toBe(1)
    expect(await ids()).toEqual(['foreign'])
  })

  it('are left to a store that drops what is too old by itself', async () => {
    await die('a', AT_MS)
    const { capabilities } = broker
    const native = new Proxy(broker, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key)
        if (key === 'capabilities') return { ...capabilities, expires: true }
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })

    expect(await expireDeadLetters(native, 'pay', { ...UNLIMITED, expiresMs: 1 }, AT_MS + DAY_MS)).toBe(0)
  })

  it('have an expiration of their own, and their sender’s priority again when they are replayed', async () => {
    const letter = toDeadLetter(delivery('a', 7), {
      reason: 'rejected',
      detail: '',
      atMs: AT_MS,
      expiresMs: 1_000,
    })
    expect(letter.message.properties).toEqual({ correlationId: 'a', expirationMs: 1_000, persistent: true })
    await broker.publish([letter])

    await replayDeadLetters(broker, 'pay')

    const consumer = await broker.consume(['pay'], { credit: 1, leaseMs: 1_000 })
    const [again] = await consumer.fetch(1, { waitMs: 0, signal: new AbortController().signal })
    expect(again?.message.properties).toEqual({ correlationId: 'a', priority: 7, persistent: true })
    await consumer.close()
  })
})
