import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'

import { createBroker } from '../../../brokers/memory/index.js'
import { BrokerConnectionError, BrokerError, Lovage, UnsupportedError } from '../../../src/index.js'
import type { Broker } from '../../../src/broker/contract.js'
import type { ConfigInput } from '../../../src/config/config.js'
import type { CallOptions } from '../../../src/task/call-options.js'
import { internalsOf } from '../../../src/util/internals.js'
import { ManualClock } from '../../support/manual-clock.js'
import { timedBy } from '../worker/harness.js'

const QUICK = { intervalStart: 0, intervalStep: 0, intervalMax: 0 }

const hang = (): Promise<never> => new Promise(() => undefined)

const refuse = async (): Promise<never> => {
  throw new BrokerConnectionError('the connection was refused')
}

/** An app whose brokers, in the order in which they are opened, differ from one in memory by these. */
function appWith(
  change: (broker: Broker, opened: number) => Partial<Broker>,
  input: ConfigInput = {},
): { app: Lovage; clock: ManualClock; opened: () => number; sent: () => Promise<number> } {
  const store = `memory://${randomUUID()}`
  const clock = new ManualClock()
  const app = new Lovage('shop', { broker: 'tried://', backend: false, ...input }, { clock })
  let opened = 0
  app.brokers.register({
    schemes: ['tried'],
    load: async () => ({
      createBroker: (_url, options) => {
        const broker = createBroker(app.brokers.find(store).url, options)
        const original = {
          connect: broker.connect.bind(broker),
          declare: broker.declare.bind(broker),
          publish: broker.publish.bind(broker),
          close: broker.close.bind(broker),
        }
        opened += 1
        return Object.assign(broker, change({ ...broker, ...original }, opened))
      },
    }),
  })
  const sent = async (): Promise<number> => {
    const reader = new Lovage('reader', { broker: store, backend: false }, { clock })
    const broker = await internalsOf(reader).broker()
    const depth = await broker.depth('celery')
    await reader.close()
    return depth
  }
  return { app, clock, opened: () => opened, sent }
}

describe('the first send', () => {
  it('succeeds although the broker is down for the first 500 ms', async () => {
    const { app, clock, sent } = appWith((broker) => ({
      connect: (signal) => (clock.now() < upAtMs ? refuse() : broker.connect(signal)),
    }))
    await using _closed = app
    const upAtMs = clock.now() + 500

    expect((await timedBy(clock, app.sendTask('add'))).error).toBeUndefined()

    expect(await sent()).toBe(1)
  })

  it('fails at once without retry, and the next one connects anew', async () => {
    const { app, opened, sent } = appWith((_broker, count) => (count === 1 ? { connect: refuse } : {}))
    await using _closed = app

    await expect(app.sendTask('add', { retry: false })).rejects.toBeInstanceOf(BrokerConnectionError)
    expect(opened()).toBe(1)
    await app.sendTask('add', { retry: false })

    expect(await sent()).toBe(1)
  })

  it.each<[string, ConfigInput, CallOptions, number]>([
    ['taskPublishRetry: false', { taskPublishRetry: false }, {}, 1],
    ['taskPublishRetry: true', { taskPublishRetry: true }, {}, 4],
    ['the call’s retry', { taskPublishRetry: true }, { retry: false }, 1],
    ['the call’s retry over a setting that is off', { taskPublishRetry: false }, { retry: true }, 4],
    ['taskPublishRetryPolicy', { taskPublishRetryPolicy: { ...QUICK, maxRetries: 1 } }, {}, 2],
    ['the call’s retryPolicy', {}, { retryPolicy: { ...QUICK, maxRetries: 2 } }, 3],
    [
      'the retryPolicy of a route',
      { taskRoutes: { add: { retry_policy: { ...QUICK, maxRetries: 2 } } } },
      {},
      3,
    ],
  ])('is tried as often as it is said: %s', async (_what, input, options, tries) => {
    const { app, opened } = appWith(() => ({ connect: refuse }), {
      taskPublishRetryPolicy: { ...QUICK, maxRetries: 3 },
      ...input,
    })

    await expect(app.sendTask('add', options)).rejects.toBeInstanceOf(BrokerConnectionError)

    expect(opened()).toBe(tries)
    await app.close()
  })

  it.each([true, false])('fails within the deadline when connecting hangs, retry: %s', async (retry) => {
    const { app, clock } = appWith(() => ({ connect: hang }), { publishTimeout: { milliseconds: 200 } })

    const { error, ms } = await timedBy(clock, app.sendTask('add', { retry }))

    expect(error).toBeInstanceOf(BrokerConnectionError)
    expect(ms).toBeLessThan(3_000)
    expect((await timedBy(clock, app.close())).ms).toBeLessThan(2_500)
  })

  it.each([true, false])('fails within the deadline when declaring hangs, retry: %s', async (retry) => {
    const { app, clock, sent } = appWith((_broker, count) => (count === 1 ? { declare: hang } : {}), {
      publishTimeout: { milliseconds: 200 },
    })
    await using _closed = app

    const { error, ms } = await timedBy(clock, app.sendTask('add', { retry }))

    expect(error).toBeInstanceOf(BrokerConnectionError)
    expect(ms).toBeLessThan(3_000)
    await app.sendTask('add', { retry })
    expect(await sent()).toBe(1)
  })

  it('replaces a broker that loses its connection while it declares', async () => {
    const { app, opened, sent } = appWith((_broker, count) => (count === 1 ? { declare: refuse } : {}))
    await using _closed = app

    await app.sendTask('add')

    expect(opened()).toBe(2)
    expect(await sent()).toBe(1)
  })

  it('goes on although a lost connection cannot be closed', async () => {
    const { app, opened, sent } = appWith((broker, count) =>
      count > 1
        ? {}
        : {
            publish: refuse,
            close: async () => {
              await broker.close()
              throw new BrokerError('close failed')
            },
          },
    )

    await app.sendTask('add')
    await app.sendTask('add')
    await app.close()

    expect(opened()).toBe(2)
    expect(await sent()).toBe(2)
  })

  it('fails for the queue that is refused, and for no other', async () => {
    const { app, opened, sent } = appWith((broker) => ({
      declare: async (queue) => {
        if (queue.name === 'bad') throw new BrokerError('another queue has this name')
        await broker.declare(queue)
      },
    }))
    await using _closed = app

    const outcomes = await Promise.allSettled([
      app.sendTask('add'),
      app.sendTask('add', { queue: 'bad' }),
      app.sendTask('add'),
    ])

    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(opened()).toBe(1)
    expect(await sent()).toBe(2)
  })

  it('fails for the delay that the broker does not have, and for no other', async () => {
    const { app, sent } = appWith((broker) => ({
      capabilities: { ...broker.capabilities, maxDelayMs: 1_000 },
    }))
    await using _closed = app

    const [plain, tooLong] = await Promise.allSettled([
      app.sendTask('add'),
      app.sendTask('add', { countdown: { hours: 1 } }),
    ])

    expect(plain.status).toBe('fulfilled')
    expect(tooLong).toMatchObject({ reason: expect.any(UnsupportedError) })
    expect(await sent()).toBe(1)
  })

  it('closes what it gave up on, so that the process can end', async () => {
    let closed = 0
    const { app, clock } = appWith(
      () => ({
        connect: hang,
        close: async () => {
          closed += 1
        },
      }),
      { publishTimeout: 5, brokerConnectionTimeout: { milliseconds: 100 } },
    )

    const { error, ms } = await timedBy(clock, app.sendTask('add', { retry: false }))

    expect(error).toBeInstanceOf(BrokerConnectionError)
    expect(ms).toBeLessThan(1_500)
    expect(closed).toBe(1)
    await app.close()
  })
})
