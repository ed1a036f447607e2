import { describe, expect, it } from '@jest/globals'

import { Publisher, type PublisherOptions } from '../../../src/app/publisher.js'
import type { Broker, Outgoing } from '../../../src/broker/contract.js'
import type { Sendable } from '../../../src/task/sender.js'
import { BrokerConnectionError, BrokerError, PublishError } from '../../../src/errors/errors.js'
import { ManualClock } from '../../../src/testing/manual-clock.js'

type Publish = (batch: readonly Outgoing[]) => Promise<void>

const message = { body: new Uint8Array(), contentType: '', contentEncoding: '', headers: {}, properties: {} }

function outgoing(routingKey: string): Sendable {
  return { outgoing: { route: { exchange: '', routingKey }, message } }
}

/** A publisher whose broker does what the next of `answers` says, then succeeds. */
function publisherOf(
  answers: Publish[],
  overrides: Partial<PublisherOptions> = {},
  publishBatch?: number,
): {
  publisher: Publisher
  batches: string[][]
  clock: ManualClock
  discarded: () => number
} {
  const batches: string[][] = []
  const clock = new ManualClock()
  let discarded = 0
  const broker = {
    capabilities: { maxDelayMs: 1, publishBatch },
    publish: async (batch: readonly Outgoing[]): Promise<void> => {
      batches.push(batch.map((one) => one.route.routingKey))
      await answers.shift()?.(batch)
    },
  } as unknown as Broker
  const connection = {
    present: broker,
    get: async () => broker,
    declare: () => undefined,
    discard: () => {
      discarded += 1
    },
  }
  const retryPolicy = { maxRetries: 3, intervalStartMs: 0, intervalStepMs: 200, intervalMaxMs: 1000 }
  const publisher = new Publisher(connection, {
    retry: true,
    retryPolicy,
    timeoutMs: 5000,
    clock,
    ...overrides,
  })
  return { publisher, batches, clock, discarded: () => discarded }
}

const lost = async (): Promise<never> => {
  throw new BrokerConnectionError('connection lost')
}

describe('the publisher', () => {
  it('sends concurrent publishes in one batch', async () => {
    const { publisher, batches } = publisherOf([])

    await Promise.all(['a', 'b', 'c'].map((key) => publisher.publish(outgoing(key))))

    expect(batches).toEqual([['a', 'b', 'c']])
  })

  it('gathers what comes while a batch is under way', async () => {
    let release: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const { publisher, batches } = publisherOf([() => slow])

    const first = publisher.publish(outgoing('a'))
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
    const later = ['b', 'c'].map((key) => publisher.publish(outgoing(key)))
    release()
    await Promise.all([first, ...later])

    expect(batches).toEqual([['a'], ['b', 'c']])
  })

  it('sends small batches side by side where the broker confirms message by message', async () => {
    let release: () => void = () => undefined
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const { publisher, batches } = publisherOf([() => slow], {}, 2)

    const [a, b, c] = ['a', 'b', 'c'].map((key) => publisher.publish(outgoing(key)))
    await c
    await publisher.publish(outgoing('d'))
    expect(batches).toEqual([['a', 'b'], ['c'], ['d']])
    release()
    await Promise.all([a, b])
  })

  it('waits before it tries again a batch that failed beside others, and counts its tries', async () => {
    const { publisher, batches, clock } = publisherOf([lost, async () => undefined, lost, lost, lost], {}, 1)

    const first = publisher.publish(outgoing('a'))
    const failed = expect(first).rejects.toBeInstanceOf(BrokerConnectionError)
    await publisher.publish(outgoing('b'))
    for (let time = 0; time < 20; time += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      await clock.advance(200)
    }
    await failed

    expect(batches).toEqual([['a'], ['b'], ['a'], ['a'], ['a']])
  })

  it('tries again on another connection after a lost one', async () => {
    const { publisher, batches, discarded } = publisherOf([lost])

    await publisher.publish(outgoing('a'))

    expect(batches).toEqual([['a'], ['a']])
    expect(discarded()).toBe(1)
  })

  it('waits longer from try to try, and gives up after maxRetries', async () => {
    const { publisher, batches, clock } = publisherOf([lost, lost, lost, lost])

    const publishing = publisher.publish(outgoing('a'))
    const failed = expect(publishing).rejects.toBeInstanceOf(BrokerConnectionError)
    while (batches.length < 4) await clock.advance(200)

    await failed
    expect(batches).toHaveLength(4)
  })

  it('fails at once with retry: false', async () => {
    const { publisher, batches } = publisherOf([lost])

    await expect(publisher.publish(outgoing('a'), { retry: false })).rejects.toBeInstanceOf(
      BrokerConnectionError,
    )
    expect(batches).toHaveLength(1)
  })

  it('does not try what cannot succeed', async () => {
    const { publisher, batches } = publisherOf([
      async () => {
        throw new BrokerError('refused')
      },
    ])

    await expect(publisher.publish(outgoing('a'))).rejects.toThrow('refused')
    expect(batches).toHaveLength(1)
  })

  it('fails only the messages that were not confirmed', async () => {
    const { publisher } = publisherOf([
      async () => {
        throw new PublishError('unroutable', [1])
      },
    ])

    const all = await Promise.allSettled(['a', 'b', 'c'].map((key) => publisher.publish(outgoing(key))))

    expect(all.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('refuses a retry policy that is none, and goes on', async () => {
    const { publisher } = publisherOf([])
    const retryPolicy = { maxRetries: -3 }

    await expect(publisher.publish(outgoing('a'), { retryPolicy })).rejects.toThrow('retryPolicy')
    await publisher.publish(outgoing('b'))
  })

  it('does not wait beyond the deadline of the call', async () => {
    const { publisher, batches } = publisherOf([lost, lost], { timeoutMs: 100 })

    await expect(publisher.publish(outgoing('a'))).rejects.toBeInstanceOf(BrokerConnectionError)
    expect(batches).toHaveLength(2)
  })
})
