import { describe, expect, it } from '@jest/globals'
import type { Delivery } from '../../../src/broker/contract.js'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'
import {
  isSpent,
  isSuspect,
  losses,
  requeueHeaders,
  Suspects,
  type Neighbour,
  type SuspectClaims,
} from '../../../src/worker/run/suspects.js'
import { ManualClock } from '../../support/manual-clock.js'

function delivered(tag: string, deliveryCount = 2, headers: Record<string, unknown> = {}): Delivery {
  const message = { body: new Uint8Array(), contentType: '', contentEncoding: '', headers, properties: {} }
  const route = { exchange: '', routingKey: 'celery' }
  return { message, queue: 'celery', route, deliveryCount, redelivered: true, due: false, tag }
}

function stage(maxDeliveries = 5): {
  readonly clock: ManualClock
  readonly window: ClaimWindow
  readonly suspects: Suspects<SuspectClaims>
  readonly claims: SuspectClaims
  readonly running: Set<Neighbour>
  readonly started: string[]
  readonly back: string[]
  /** A body starts beside. */
  readonly neighbour: () => Neighbour
  readonly ended: (run: Neighbour | undefined) => void
  readonly settled: () => void
} {
  const clock = new ManualClock(1_000)
  const options = { concurrency: 4, prefetchMultiplier: Number.POSITIVE_INFINITY, readAheadMs: 50 }
  const window = new ClaimWindow({ ...options, readAhead: new ReadAhead(options) })
  const running = new Set<Neighbour>()
  const started: string[] = []
  const back: string[] = []
  const neighbour = (): Neighbour => {
    const run = { startedMs: clock.now() }
    running.add(run)
    window.began()
    return run
  }
  const suspects = new Suspects<SuspectClaims>({
    clock,
    elapsedMs: () => clock.now(),
    window,
    maxDeliveries,
    running: () => running,
    giveBackBuffered: () => undefined,
    giveBack: (_claims, { tag }) => {
      back.push(tag)
      window.settling()
    },
    start: (_claims, { tag }) => {
      started.push(tag)
      return neighbour()
    },
  })
  return {
    clock,
    window,
    suspects,
    claims: { consumer: { setCredit: async () => undefined }, inUse: 1, release: () => undefined },
    running,
    started,
    back,
    neighbour,
    ended: (run) => {
      if (run !== undefined && running.delete(run)) window.ended()
      suspects.look()
    },
    settled: () => {
      window.settled()
      suspects.look()
    },
  }
}

/** The promises under way are settled. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('Suspects', () => {
  it('start one at a time, when what was claimed beside them is given back', async () => {
    const { suspects, window, claims, started, back, settled } = stage()

    suspects.meet(claims, [delivered('a'), delivered('b'), delivered('c')])
    await turn()

    expect(back).toEqual(['b', 'c'])
    expect([started, window.room()]).toEqual([[], 0])

    settled()
    await turn()
    expect(started).toEqual([])

    settled()
    await turn()
    expect([started, window.room()]).toEqual([['a'], 0])
  })

  it('are followed by one message at a time, until one comes that is none', async () => {
    const { suspects, window, claims, running, ended } = stage()
    suspects.meet(claims, [delivered('a')])
    await turn()

    ended([...running][0])
    expect(window.room()).toBe(1)

    suspects.meet(claims, [])
    expect(window.room()).toBe(4)
  })

  it('wait for what runs until it has run for ten seconds, and have that long for themselves', async () => {
    const { suspects, clock, window, claims, started, neighbour } = stage()
    neighbour()
    suspects.meet(claims, [delivered('a')])
    await turn()
    expect(started).toEqual([])

    clock.advance(9_999)
    await turn()
    expect([started, window.room()]).toEqual([[], 0])

    clock.advance(1)
    await turn()
    expect([started, window.room()]).toEqual([['a'], 0])

    clock.advance(9_999)
    expect(window.room()).toBe(0)
    clock.advance(1)
    expect(window.room()).toBe(1)
  })

  it('before their last run are left to others, and are beside nothing until they end', async () => {
    const { suspects, clock, window, claims, started, back, settled, neighbour, ended } = stage(3)
    const other = neighbour()

    suspects.meet(claims, [delivered('a', 3)])
    await turn()
    expect([started, back, window.room()]).toEqual([[], ['a'], 0])

    settled()
    ended(other)
    expect(window.room()).toBe(1)
    suspects.meet(claims, [delivered('a', 3)])
    await turn()
    expect(started).toEqual(['a'])

    clock.advance(3_600_000)
    expect(window.room()).toBe(0)
  })

  it('before their last run do not wait for ever behind a long task', async () => {
    const { suspects, clock, window, claims, settled, started, neighbour } = stage(3)
    neighbour()
    suspects.meet(claims, [delivered('a', 3)])
    settled()

    clock.advance(60_000)

    expect(window.room()).toBe(1)
    suspects.meet(claims, [delivered('a', 3)])
    await turn()
    expect(started).toEqual(['a'])
  })

  it('go back when the worker stops', () => {
    const { suspects, claims, back, started, neighbour, clock } = stage()
    neighbour()
    suspects.meet(claims, [delivered('a')])

    suspects.stop()
    suspects.meet(claims, [delivered('b')])
    clock.advance(60_000)

    expect([back, started]).toEqual([['a', 'b'], []])
  })

  it('are forgotten when their claim is lost', async () => {
    const { suspects, claims, clock, started, window, neighbour } = stage()
    neighbour()
    suspects.meet(claims, [delivered('a')])

    suspects.loseClaims(claims, new Set(['a']))
    clock.advance(10_000)
    await turn()

    expect([started, window.room()]).toEqual([[], 1])
  })

  it('are not what was put back on purpose', () => {
    const once = requeueHeaders(delivered('a', 1))
    const twice = requeueHeaders(delivered('a', 2, once))

    expect(losses(delivered('a', 1))).toBe(0)
    expect(losses(delivered('a', 3, twice))).toBe(0)
    expect(losses(delivered('a', 4, twice))).toBe(1)
    expect(isSpent(delivered('a', 2, once), 1)).toBe(true)
  })

  it('are not set aside after the first loss, though one delivery is allowed: which of them had started is not known', () => {
    const spent = [1, 2, 3].map((count) => isSpent(delivered('a', count), 1))

    expect(spent).toEqual([false, false, true])
    expect([1, 2, 3].map((count) => isSuspect(delivered('a', count), 1))).toEqual([false, true, false])
    expect([2, 3, 4].map((count) => isSpent(delivered('a', count), 3))).toEqual([false, false, true])
  })
})
