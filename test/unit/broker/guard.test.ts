import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { createBroker } from '../../../brokers/memory/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { Broker, BrokerCapabilities, Consumer } from '../../../src/broker/contract.js'
import { guardBroker, type GuardOptions } from '../../../src/broker/guard.js'
import {
  BrokerConnectionError,
  BrokerError,
  PublishError,
  UnsupportedError,
} from '../../../src/errors/errors.js'
import { ManualClock } from '../../support/manual-clock.js'
import { gate, turns } from '../worker/harness.js'
import { outgoing } from '../../support/messages.js'

const never = new AbortController().signal

const CAPABILITIES: BrokerCapabilities = {
  maxBatch: 3,
  maxDelayMs: 1_000,
  priorityLevels: 1,
  claims: 'connection',
  depth: 'exact',
  exchanges: [],
  durable: false,
}

function fakeConsumer(overrides: Partial<Consumer> = {}): Consumer {
  return {
    fetch: async () => [],
    ack: async () => [],
    handBack: async () => [],
    setCredit: async () => {},
    close: async () => {},
    ...overrides,
  }
}

/** A driver that does nothing well. */
function fakeBroker(overrides: Partial<Broker> = {}): Broker {
  return {
    name: 'fake',
    capabilities: CAPABILITIES,
    connect: async () => {},
    declare: async () => {},
    publish: async () => {},
    consume: async () => fakeConsumer(),
    depth: async () => 0,
    purge: async () => 0,
    delete: async () => {},
    close: async () => {},
    ...overrides,
  }
}

async function connected(overrides: Partial<Broker> = {}, options: GuardOptions = {}): Promise<Broker> {
  const broker = guardBroker(fakeBroker(overrides), options)
  await broker.connect(never)
  return broker
}

describe('connecting', () => {
  it('happens once for concurrent callers, who share the outcome', async () => {
    let connects = 0
    const broker = guardBroker(
      fakeBroker({
        connect: async () => {
          connects += 1
          await turn()
        },
      }),
    )

    await Promise.all([broker.connect(never), broker.connect(never)])
    await broker.connect(never)

    expect(connects).toBe(1)
  })

  it('can be tried again after it failed', async () => {
    let connects = 0
    const broker = guardBroker(
      fakeBroker({
        connect: async () => {
          connects += 1
          if (connects === 1) throw new BrokerConnectionError('refused')
        },
      }),
    )

    const first = await Promise.allSettled([broker.connect(never), broker.connect(never)])

    expect(first.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
    await broker.connect(never)
    expect(connects).toBe(2)
  })

  it('ends when the last caller gives up, and not before', async () => {
    let aborted = false
    const broker = guardBroker(
      fakeBroker({
        connect: (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true
              reject(new BrokerError('aborted'))
            })
          }),
      }),
    )
    const [one, other] = [new AbortController(), new AbortController()]
    const connecting = [broker.connect(one.signal), broker.connect(other.signal)]

    one.abort(new BrokerError('one gave up'))
    await expect(connecting[0]).rejects.toThrow('one gave up')
    expect(aborted).toBe(false)
    other.abort(new BrokerError('the other gave up'))

    await expect(connecting[1]).rejects.toThrow('the other gave up')
    expect(aborted).toBe(true)
  })

  it('has a deadline', async () => {
    const clock = new ManualClock()
    const broker = guardBroker(fakeBroker({ connect: () => new Promise(() => undefined) }), {
      connectTimeoutMs: 1_000,
      clock,
    })
    const connecting = broker.connect(never)

    clock.advance(1_000)

    await expect(connecting).rejects.toBeInstanceOf(BrokerConnectionError)
  })

  it('is ended by close, which closes the driver once', async () => {
    let closes = 0
    const broker = guardBroker(
      fakeBroker({
        connect: (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(new BrokerError('aborted'))
            })
          }),
        close: async () => {
          closes += 1
        },
      }),
    )
    const connecting = broker.connect(never).catch((error: unknown) => error)

    await Promise.all([broker.close(), broker.close()])

    expect(await connecting).toBeInstanceOf(BrokerError)
    expect(closes).toBe(1)
    await expect(broker.connect(never)).rejects.toThrow('broker "fake" is closed')
  })
})

describe('publishing', () => {
  it('is split to what the driver handles at once', async () => {
    const sizes: number[] = []
    const broker = await connected({
      publish: async (batch) => {
        sizes.push(batch.length)
      },
    })

    await broker.publish(Array.from({ length: 8 }, () => outgoing('q', 'a')))
    await broker.publish([])

    expect(sizes).toEqual([3, 3, 2])
  })

  it('goes on after a refusal and names the places in the whole batch', async () => {
    const broker = await connected({
      publish: async (batch) => {
        const bad = batch.findIndex((one) => Buffer.from(one.message.body).toString() === 'bad')
        if (bad >= 0) throw new PublishError('refused', [bad])
      },
    })
    const texts = ['a', 'bad', 'c', 'd', 'e', 'f', 'bad']

    const publishing = broker.publish(texts.map((text) => outgoing('q', text)))

    await expect(publishing).rejects.toMatchObject({ code: 'LOVAGE_PUBLISH', indexes: [1, 6] })
  })

  it('names what is left when the connection goes half-way, and can be tried again', async () => {
    let calls = 0
    const lost = new BrokerConnectionError('gone')
    const broker = await connected({
      publish: async () => {
        calls += 1
        if (calls === 2) throw lost
      },
    })

    const publishing = broker.publish(Array.from({ length: 8 }, () => outgoing('q', 'a')))

    await expect(publishing).rejects.toMatchObject({
      code: 'LOVAGE_PUBLISH',
      indexes: [3, 4, 5, 6, 7],
      retryable: true,
      cause: lost,
    })
    expect(calls).toBe(2)
  })

  it('passes a lost connection on when nothing was confirmed', async () => {
    const lost = new BrokerConnectionError('gone')
    const broker = await connected({ publish: () => Promise.reject(lost) })

    await expect(broker.publish([outgoing('q', 'a')])).rejects.toBe(lost)
    await expect(broker.publish(Array.from({ length: 8 }, () => outgoing('q', 'a')))).rejects.toBe(lost)
  })

  it('has a deadline, after which nothing more is sent', async () => {
    let calls = 0
    const clock = new ManualClock()
    const [asked, answered] = [gate(), gate()]
    const broker = await connected(
      {
        publish: async () => {
          calls += 1
          if (calls < 2) return
          asked.open()
          await answered.passed
        },
      },
      { publishTimeoutMs: 20, clock },
    )

    const publishing = broker.publish(Array.from({ length: 8 }, () => outgoing('q', 'a')))
    publishing.catch(() => undefined)
    await asked.passed
    clock.advance(20)

    await expect(publishing).rejects.toMatchObject({
      code: 'LOVAGE_PUBLISH',
      indexes: [3, 4, 5, 6, 7],
      retryable: true,
      notSent: false,
      message: expect.stringContaining('may be sent all the same'),
    })
    answered.open()
    await turns()
    expect(calls).toBe(2)
  })

  it('tells the driver when its time is up, which has the word on what was not sent', async () => {
    const clock = new ManualClock()
    const broker = await connected(
      {
        publish: (batch, options) =>
          new Promise((resolve, reject) => {
            options?.signal.addEventListener('abort', () => {
              reject(new PublishError('still waiting', [...batch.keys()], { notSent: true }))
            })
          }),
      },
      { publishTimeoutMs: 20, clock },
    )

    const publishing = broker.publish(Array.from({ length: 8 }, () => outgoing('q', 'a')))
    clock.advance(20)

    await expect(publishing).rejects.toMatchObject({
      notSent: true,
      message: 'still waiting',
      indexes: [0, 1, 2, 3, 4, 5, 6, 7],
    })
  })

  it('refuses a delay beyond the longest the driver has', async () => {
    const broker = await connected()

    await broker.publish([outgoing('q', 'a', { delayMs: 1_000 })])

    await expect(broker.publish([outgoing('q', 'a', { delayMs: 1_001 })])).rejects.toThrow(
      'broker "fake" delays messages by at most 1000 ms; asked for 1001 ms',
    )
    await expect(
      broker.publish([outgoing('q', 'a', { notBeforeMs: Date.now() + 60_000 })]),
    ).rejects.toBeInstanceOf(UnsupportedError)
  })

  it('sends to the queue what goes through a direct binding the driver cannot keep', async () => {
    const routes: unknown[] = []
    const broker = await connected({
      publish: async (batch) => {
        routes.push(...batch.map((one) => one.route))
      },
    })
    const bindings = [{ exchange: 'celery', type: 'direct' as const, routingKey: 'key' }]
    await broker.declare({ name: 'q', lifetime: 'durable', bindings })

    await broker.publish([outgoing('q', 'a', { route: { exchange: 'celery', routingKey: 'key' } })])

    expect(routes).toEqual([{ exchange: '', routingKey: 'q' }])
    await expect(
      broker.publish([outgoing('q', 'a', { route: { exchange: 'other', routingKey: 'key' } })]),
    ).rejects.toBeInstanceOf(UnsupportedError)
  })

  it('refuses an exchange type by name', async () => {
    const broker = await connected()
    const bindings = [{ exchange: 'x', type: 'topic' as const, routingKey: '#' }]

    await expect(broker.declare({ name: 'q', lifetime: 'durable', bindings })).rejects.toThrow(
      'broker "fake" has no topic exchanges, which queue "q" asks for; it has queues only',
    )
  })
})

describe('errors', () => {
  it('of a driver become errors of ours, with the cause kept', async () => {
    const cause = new TypeError('socket hang up')
    const broker = await connected({ depth: () => Promise.reject(cause) })

    await expect(broker.depth('q')).rejects.toMatchObject({
      code: 'LOVAGE_BROKER',
      message: 'counting queue "q" failed: socket hang up',
      cause,
    })
  })

  it('are thrown for a use before connect', async () => {
    await expect(guardBroker(fakeBroker()).depth('q')).rejects.toThrow('is not connected; connect it first')
  })
})

describe('a consumer', () => {
  const options = { credit: 10, leaseMs: 1_000 }
  const fetchOptions = { waitMs: 0, signal: never }

  it('fetches and settles no more at once than the driver handles', async () => {
    const sizes: number[] = []
    const inner = createBroker(parseConnectionUrl('memory://guard-batches'), {})
    const broker = guardBroker({
      ...fakeBroker(),
      declare: (queue) => inner.declare(queue),
      publish: (batch) => inner.publish(batch),
      consume: async (queues, how) => {
        const consumer = await inner.consume(queues, how)
        return fakeConsumer({
          fetch: (max, how) => {
            sizes.push(max)
            return consumer.fetch(max, how)
          },
          ack: (deliveries) => {
            sizes.push(deliveries.length)
            return consumer.ack(deliveries)
          },
        })
      },
    })
    await broker.connect(never)
    await broker.declare({ name: 'q', lifetime: 'durable', bindings: [] })
    await broker.publish(Array.from({ length: 5 }, () => outgoing('q', 'a')))
    const consumer = await broker.consume(['q'], options)

    const deliveries = [
      ...(await consumer.fetch(10, fetchOptions)),
      ...(await consumer.fetch(2, fetchOptions)),
    ]
    expect(await consumer.ack(deliveries)).toEqual([])
    expect(await consumer.fetch(0, fetchOptions)).toEqual([])

    expect(sizes).toEqual([3, 2, 3, 2])
  })

  it('is dead after it lost its connection, until it is closed', async () => {
    const lost = new BrokerConnectionError('gone')
    let closes = 0
    const broker = await connected({
      consume: async () =>
        fakeConsumer({
          fetch: () => Promise.reject(lost),
          close: async () => {
            closes += 1
          },
        }),
    })
    const consumer = await broker.consume(['q'], options)

    await expect(consumer.fetch(1, fetchOptions)).rejects.toBe(lost)

    await expect(consumer.ack([])).rejects.toBeInstanceOf(BrokerConnectionError)
    await consumer.close()
    await consumer.close()
    expect(closes).toBe(1)
  })

  it('is closed with its broker, and before it', async () => {
    const closed: string[] = []
    const broker = await connected({
      consume: async () => fakeConsumer({ close: async () => void closed.push('consumer') }),
      close: async () => void closed.push('broker'),
    })
    await broker.consume(['q'], options)

    await broker.close()

    expect(closed).toEqual(['consumer', 'broker'])
  })

  it('that cannot be closed does not keep the broker open', async () => {
    let closed = false
    const broker = await connected({
      consume: async () => fakeConsumer({ close: () => Promise.reject(new TypeError('no')) }),
      close: async () => {
        closed = true
      },
    })
    await broker.consume(['q'], options)

    await broker.close()

    expect(closed).toBe(true)
  })

  it('has the optional parts of the driver and no others', async () => {
    const plain = await (await connected()).consume(['q'], options)
    const settles = await connected({
      consume: async () => fakeConsumer({ settle: async () => [], holder: 'h' }),
    })
    const rich = await settles.consume(['q'], options)

    expect([plain.settle, plain.verify, plain.holder]).toEqual([undefined, undefined, undefined])
    expect(rich.settle).toBeInstanceOf(Function)
    expect(rich.holder).toBe('h')
  })
})

describe('results of a consumer', () => {
  it('reach the driver only where they are in its store', async () => {
    const asked: unknown[] = []
    const broker = await connected({
      capabilities: { ...CAPABILITIES, storeId: 'here' },
      consume: async (_queues, { results }) => {
        asked.push(results)
        return fakeConsumer()
      },
    })
    const options = { credit: 1, leaseMs: 1_000 }
    const own = { storeId: 'here', writer: {} }

    await broker.consume(['q'], { ...options, results: own })
    await broker.consume(['q'], { ...options, results: { storeId: 'there', writer: {} } })
    await broker.consume(['q'], options)

    expect(asked).toEqual([own, undefined, undefined])
  })
})

describe('guarding', () => {
  it('a guarded broker again changes nothing', () => {
    const broker = guardBroker(fakeBroker())

    expect(guardBroker(broker)).toBe(broker)
  })
})

describe('what a driver does not answer', () => {
  const hang = (): Promise<never> => new Promise(() => undefined)

  it('ends at a deadline, schedules too', async () => {
    const inner = fakeBroker({
      declare: hang,
      schedules: {
        claimOccurrence: hang,
        lead: hang,
        resign: hang,
        saveEntry: hang,
        loadEntry: hang,
        loadEntries: hang,
        removeEntry: hang,
      },
    })
    const broker = guardBroker(inner, { answerTimeoutMs: 20 })

    await expect(broker.schedules?.lead('me', 1_000)).rejects.toThrow('is not connected')
    await broker.connect(never)

    const queue = { name: 'q', lifetime: 'durable', bindings: [] } as const
    await expect(broker.declare(queue)).rejects.toBeInstanceOf(BrokerConnectionError)
    await expect(broker.schedules?.lead('me', 1_000)).rejects.toThrow(
      'leading: broker "fake" did not answer within 20 ms',
    )
  })
})
