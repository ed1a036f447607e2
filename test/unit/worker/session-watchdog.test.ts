import { describe, expect, it } from '@jest/globals'
import type { Broker, Consumer, Delivery } from '../../../src/broker/contract.js'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { createCore } from '../../../src/worker/core.js'
import { noKeeper } from '../../../src/broker/lease-keeper.js'
import { hostOfApp } from '../../../src/worker/app-host.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'
import { resolveSettings } from '../../../src/worker/settings.js'
import { ConsumerSession } from '../../../src/worker/connection/consumer-session.js'
import { Bench } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

const never = (): Promise<readonly Delivery[]> => new Promise(() => undefined)
const nothing = (): Promise<readonly Delivery[]> => new Promise((resolve) => setImmediate(resolve, []))

/** What is made up about the broker of a session. */
interface MadeUp {
  readonly nowMs: () => number
  readonly depth: () => number
  readonly fetch: Consumer['fetch']
}

/** A session on a memory broker that brings nothing. */
async function idleSession(
  bench: Bench,
  { nowMs, depth, fetch }: MadeUp,
): Promise<{ readonly session: ConsumerSession; readonly window: ClaimWindow }> {
  const settings = resolveSettings(internalsOf(bench.app).config(), { concurrency: 2 })
  const queues = internalsOf(bench.app).queues()
  const host = { ...hostOfApp(bench.app, bench.log, undefined), elapsedMs: nowMs }
  const { dispatcher } = createCore({ host, settings, queues, ready: () => undefined })
  const window = new ClaimWindow({ ...settings, readAhead: new ReadAhead(settings) })
  const real = await bench.broker()
  const broker: Broker = Object.assign(Object.create(real), {
    depth: async () => depth(),
    declare: (queue: Parameters<Broker['declare']>[0]) => real.declare(queue),
    consume: async (...asked: Parameters<Broker['consume']>): Promise<Consumer> => {
      const consumer = await real.consume(...asked)
      const idle: Consumer = Object.assign(Object.create(consumer), { fetch })
      return idle
    },
  })
  const session = await ConsumerSession.open(broker, {
    host,
    settings,
    queues,
    window,
    dispatcher,
    keeper: noKeeper,
    orphaned: () => undefined,
  })
  return { session, window }
}

describe('the watchdog of a session', () => {
  it('gives up a fetch that does not answer well after its wait', async () => {
    await using bench = new Bench()
    let nowMs = 1_000
    const { session } = await idleSession(bench, { nowMs: () => nowMs, depth: () => 0, fetch: never })
    const claiming = session.claim()
    await Promise.resolve()

    nowMs += 24_000
    await session.inspect()
    expect(session.isLost).toBe(false)
    nowMs += 2_000
    await session.inspect()

    await expect(claiming).rejects.toThrow(/did not answer in time/)
  })

  it('gives up a consumer that brings nothing for a minute although work is ready and slots are free', async () => {
    await using bench = new Bench()
    let nowMs = 1_000
    let ready = 0
    const { session } = await idleSession(bench, { nowMs: () => nowMs, depth: () => ready, fetch: nothing })
    const claiming = session.claim()

    nowMs += 61_000
    await session.inspect()
    expect(session.isLost).toBe(false)
    ready = 3
    await session.inspect()

    await expect(claiming).rejects.toThrow(/3 messages are ready and none came for 60 s/)
  })

  it('leaves a busy worker alone', async () => {
    await using bench = new Bench()
    let nowMs = 1_000
    const { session, window } = await idleSession(bench, {
      nowMs: () => nowMs,
      depth: () => 3,
      fetch: nothing,
    })
    window.began()
    window.began()

    nowMs += 600_000
    await session.inspect()

    expect(session.isLost).toBe(false)
  })
})
