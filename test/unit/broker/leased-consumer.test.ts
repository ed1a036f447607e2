import { describe, expect, it } from '@jest/globals'
import type { Delivery, Settlement } from '../../../src/broker/contract.js'
import {
  ChangeSignal,
  LeasedConsumer,
  type ClaimAttempt,
  type ClaimRound,
  type LeasedClaims,
} from '../../../src/broker/leased-consumer.js'
import { BrokerConnectionError, LovageError } from '../../../src/errors/errors.js'
import { never } from '../../conformance/time.js'
import { toMessage } from '../../conformance/broker/stage.js'
import { ManualClock } from '../../support/manual-clock.js'
import { gate } from '../worker/harness.js'
import { deliveryOf } from '../../support/messages.js'

const HOUR_MS = 3_600_000

function delivery(tag: string): Delivery {
  return deliveryOf(tag, { queue: 'jobs', message: toMessage(tag) })
}

/** The claims of one holder in a store whose answers a test writes down. */
class ScriptedClaims implements LeasedClaims {
  readonly holder = 'holder'
  readonly isAtomic = false
  readonly unsettled = new Map<string, unknown>()
  readonly changes = new ChangeSignal()
  /** What was asked of the store: `claim 2`, `settle a b`, `release`. */
  readonly calls: string[] = []
  /** Tags that are ready in the queue. */
  ready: string[] = []
  nextMs: number | undefined
  /** Happens after a claim has been made, before its answer is here. */
  answers: (round: ClaimRound) => Promise<void> | void = () => undefined
  /** Happens before settlements are made; resolves with the tags that were lost. */
  settling: () => Promise<readonly string[]> | readonly string[] = () => []

  async claim(max: number, round: ClaimRound): Promise<ClaimAttempt> {
    this.calls.push(`claim ${String(max)}`)
    const deliveries = this.ready.splice(0, max).map(delivery)
    for (const { tag } of deliveries) this.unsettled.set(tag, true)
    await this.answers(round)
    return { deliveries, ...(this.nextMs !== undefined && { nextMs: this.nextMs }) }
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    this.calls.push(`settle ${settlements.map(({ delivery: { tag } }) => tag).join(' ')}`)
    const lost = await this.settling()
    return settlements.map((settlement) => settlement.delivery).filter(({ tag }) => lost.includes(tag))
  }

  async release(): Promise<void> {
    this.calls.push(`release ${[...this.unsettled.keys()].join(' ')}`)
  }

  /** A message comes. */
  send(...tags: readonly string[]): void {
    this.ready.push(...tags)
    this.changes.signal()
  }
}

interface Bench {
  readonly claims: ScriptedClaims
  readonly clock: ManualClock
  readonly consumer: LeasedConsumer
  readonly fetch: (max: number, waitMs?: number, signal?: AbortSignal) => Promise<readonly string[]>
  closed: number
}

function open(credit = 10): Bench {
  const claims = new ScriptedClaims()
  const clock = new ManualClock()
  const asBroker = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work()
    } catch (cause) {
      throw cause instanceof LovageError
        ? cause
        : new BrokerConnectionError('the store: no answer', { cause })
    }
  }
  const consumer = new LeasedConsumer(claims, { credit, clock, asBroker, closed: () => (bench.closed += 1) })
  const bench: Bench = {
    claims,
    clock,
    consumer,
    fetch: async (max, waitMs = HOUR_MS, signal = never) =>
      (await consumer.fetch(max, { waitMs, signal })).map(({ tag }) => tag),
    closed: 0,
  }
  return bench
}

/** Resolves when everything has run that needs no store and no time. */
function idle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise has settled once everything has run that can. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await idle()
  return settled
}

describe('a fetch of leased claims', () => {
  it('claims as many as it asks for, and looks once', async () => {
    const { claims, fetch } = open()
    claims.send('a', 'b', 'c')

    expect(await fetch(2)).toEqual(['a', 'b'])
    expect(claims.calls).toEqual(['claim 2'])
  })

  it('that may not wait comes back empty from an empty queue', async () => {
    const { claims, fetch } = open()

    expect(await fetch(2, 0)).toEqual([])
    expect(claims.calls).toEqual(['claim 2'])
  })

  it('comes back empty when its wait is over, and not before', async () => {
    const { clock, fetch } = open()
    const fetching = fetch(1)

    await idle()
    clock.advance(HOUR_MS - 1)
    expect(await isSettled(fetching)).toBe(false)
    clock.advance(1)

    expect(await fetching).toEqual([])
  })

  it('wakes for a change, and for one that came while it looked', async () => {
    const { claims, fetch } = open()
    const looking = gate()
    claims.answers = () => looking.passed
    const fetching = fetch(1)
    await idle()

    claims.send('a')
    looking.open()

    expect(await fetching).toEqual(['a'])
    const next = fetch(1)
    expect(await isSettled(next)).toBe(false)
    claims.send('b')
    expect(await next).toEqual(['b'])
  })

  it('looks again when the driver says so, although nothing changed', async () => {
    const { claims, clock, fetch } = open()
    claims.nextMs = 500
    const fetching = fetch(1)
    await idle()
    claims.ready.push('due')

    clock.advance(499)
    expect(await isSettled(fetching)).toBe(false)
    clock.advance(1)

    expect(await fetching).toEqual(['due'])
  })

  it('comes back empty when it is aborted, and leaves no one to wake', async () => {
    const { claims, clock, fetch } = open()
    const stop = new AbortController()
    const fetching = fetch(1, HOUR_MS, stop.signal)
    await idle()

    stop.abort()

    expect(await fetching).toEqual([])
    claims.send('a')
    await idle()
    expect(claims.calls).toEqual(['claim 1'])
    expect(clock.waiting).toBe(0)
  })

  it('that is aborted while its claim is made still hands out what was claimed', async () => {
    const { claims, fetch } = open()
    const looking = gate()
    claims.answers = () => looking.passed
    claims.send('a')
    const stop = new AbortController()
    const fetching = fetch(1, HOUR_MS, stop.signal)
    await idle()

    stop.abort()
    looking.open()

    expect(await fetching).toEqual(['a'])
  })

  it('fails as a broker when the connection is lost while it claims, and the next one claims', async () => {
    const { claims, fetch } = open()
    claims.answers = () => {
      claims.answers = () => undefined
      throw new TypeError('socket hang up')
    }

    await expect(fetch(1)).rejects.toMatchObject({
      code: 'LOVAGE_BROKER_CONNECTION',
      cause: { message: 'socket hang up' },
    })
    claims.send('a')
    expect(await fetch(1)).toEqual(['a'])
  })
})

describe('the credit of leased claims', () => {
  it('bounds what is unsettled; settling one lets the next be claimed', async () => {
    const { claims, consumer, fetch } = open(2)
    claims.send('a', 'b', 'c')
    expect(await fetch(5)).toEqual(['a', 'b'])
    const next = fetch(5)
    expect(await isSettled(next)).toBe(false)

    await consumer.ack([delivery('a')])

    expect(await next).toEqual(['c'])
    expect(claims.calls).toEqual(['claim 2', 'claim 0', 'settle a', 'claim 1'])
  })

  it('that is raised wakes a fetch that waits for it', async () => {
    const { claims, consumer, fetch } = open(1)
    claims.send('a', 'b')
    await fetch(1)
    const next = fetch(1)
    await idle()

    await consumer.setCredit(2)

    expect(await next).toEqual(['b'])
  })

  it('that is freed while a fetch looks is used by it', async () => {
    const { claims, consumer, fetch } = open(1)
    claims.send('a', 'b')
    await fetch(1)
    const looking = gate()
    claims.answers = () => looking.passed
    const next = fetch(1)
    await idle()

    await consumer.ack([delivery('a')])
    looking.open()

    expect(await next).toEqual(['b'])
    expect(claims.calls).toEqual(['claim 1', 'claim 0', 'settle a', 'claim 1'])
  })

  it('that is lowered below what is unsettled lets nothing be claimed', async () => {
    const { claims, consumer, fetch } = open(3)
    claims.send('a', 'b', 'c')
    await fetch(2)
    await consumer.setCredit(1)

    expect(await fetch(1, 0)).toEqual([])
    expect(claims.calls.at(-1)).toBe('claim 0')
  })
})

describe('settling leased claims', () => {
  it('tells which claims were lost to others, and forgets all of them', async () => {
    const { claims, consumer, fetch } = open()
    claims.send('a', 'b')
    await fetch(2)
    claims.settling = () => ['a']

    expect(await consumer.ack([delivery('a'), delivery('b')])).toMatchObject([{ tag: 'a' }])
    expect([...claims.unsettled.keys()]).toEqual([])
  })

  it('keeps claims whose settlement got no answer: closing gives them back', async () => {
    const { claims, consumer, fetch } = open()
    claims.send('a')
    await fetch(1)
    claims.settling = () => {
      throw new TypeError('socket hang up')
    }

    await expect(consumer.ack([delivery('a')])).rejects.toMatchObject({ code: 'LOVAGE_BROKER_CONNECTION' })
    await consumer.close()

    expect(claims.calls.slice(1)).toEqual(['settle a', 'release a'])
  })

  it('asks nothing of the store for nothing', async () => {
    const { claims, consumer } = open()

    expect(await consumer.ack([])).toEqual([])
    expect(await consumer.handBack([])).toEqual([])
    expect(claims.calls).toEqual([])
  })
})

describe('closing a consumer of leased claims', () => {
  it('gives back what is unsettled, once', async () => {
    const bench = open()
    bench.claims.send('a', 'b')
    await bench.fetch(2)
    await bench.consumer.ack([delivery('a')])

    await Promise.all([bench.consumer.close(), bench.consumer.close()])

    expect(bench.claims.calls.slice(1)).toEqual(['settle a', 'release b'])
    expect(bench.closed).toBe(1)
    expect(bench.claims.unsettled.size).toBe(0)
  })

  it('ends a fetch that waits with nothing, and refuses the next', async () => {
    const { consumer, fetch } = open()
    const fetching = fetch(1)
    await idle()

    await consumer.close()

    expect(await fetching).toEqual([])
    await expect(fetch(1)).rejects.toThrow('the consumer is closed')
  })

  it('gives back what a claim brings that is answered after it', async () => {
    const { claims, consumer, fetch } = open()
    const looking = gate()
    claims.answers = () => looking.passed
    claims.send('late')
    const fetching = fetch(1)
    await idle()

    const closing = consumer.close()
    expect(await isSettled(closing)).toBe(false)
    looking.open()
    await closing

    expect(await fetching).toEqual([])
    expect(claims.calls).toEqual(['claim 1', 'release late'])
  })

  it('ends well when the store does not answer: the leases end by themselves', async () => {
    const bench = open()
    bench.claims.send('a')
    await bench.fetch(1)
    bench.claims.release = () => Promise.reject(new TypeError('socket hang up'))

    await bench.consumer.close()

    expect(bench.closed).toBe(1)
    expect(bench.claims.unsettled.size).toBe(0)
  })
})
