import { describe, expect, it } from '@jest/globals'
import type { Leases } from '../../../src/broker/contract.js'
import { LeaseLostError } from '../../../src/index.js'
import { LocalKeeper, Renewals, type TagChange } from '../../../src/broker/lease-keeper.js'
import { TagBatch } from '../../../src/worker/lease/tag-batch.js'
import { randomUUID } from 'node:crypto'
import { eventually } from '../../conformance/time.js'
import { ManualClock } from '../../support/manual-clock.js'
import { Bench, gate } from './harness.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('leases', () => {
  it('are renewed three times in each lease while the worker lives', async () => {
    const clock = new ManualClock()
    const calls: string[] = []
    const leases: Leases = {
      renews: 'holder',
      renew: async (holder, tags, leaseMs) => {
        calls.push(`${holder} ${tags.length} ${leaseMs}`)
        return { held: true, lostTags: [] }
      },
    }
    const keeper = new LocalKeeper({ leaseMs: 30_000, clock, failed: () => undefined })
    keeper.hold({ holder: 'h', leases, lost: () => undefined })

    for (let step = 0; step < 3; step += 1) {
      clock.advance(10_000)
      await turn()
    }
    keeper.release('h')
    clock.advance(10_000)
    await turn()
    await keeper.stop()

    expect(calls).toEqual(['h 0 30000', 'h 0 30000', 'h 0 30000'])
    expect(clock.waiting).toBe(0)
  })

  it('name each claim where the store asks for it', async () => {
    const asked: (readonly string[])[] = []
    const lost: unknown[] = []
    const renewals = new Renewals()
    const leases: Leases = {
      renews: 'tags',
      renew: async (_holder, tags) => {
        asked.push(tags)
        return { held: true, lostTags: tags.filter((tag) => tag === 'b') }
      },
    }
    renewals.hold('h')
    const listener = { lost: (holder: string, tags?: readonly string[]) => lost.push([holder, tags]) }

    await renewals.round(leases, 1000, listener)
    renewals.change('h', { added: ['a', 'b', 'c'], removed: ['c'] })
    await renewals.round(leases, 1000, listener)
    await renewals.round(leases, 1000, listener)

    expect(asked).toEqual([['a', 'b'], ['a']])
    expect(lost).toEqual([['h', ['b']]])
  })

  it('are all named once their holder claims no more, and what else it has goes back', async () => {
    const asked: unknown[] = []
    const renewals = new Renewals()
    const leases: Leases = {
      renews: 'holder',
      renew: async (_holder, tags) => {
        asked.push(['renew', tags])
        return { held: true, lostTags: [] }
      },
      reconcile: async (_holder, tags) => {
        asked.push(['reconcile', tags])
        return { held: true, lostTags: [] }
      },
    }
    renewals.hold('h')
    const listener = { lost: () => undefined }

    await renewals.round(leases, 1000, listener)
    renewals.reconcile('h', ['a', 'b'])
    await renewals.round(leases, 1000, listener)
    renewals.change('h', { added: [], removed: ['a', 'b'] })
    await renewals.round(leases, 1000, listener)

    expect(asked).toEqual([
      ['renew', []],
      ['reconcile', ['a', 'b']],
      ['reconcile', []],
    ])
  })

  it('are not lost that were settled while they were renewed', async () => {
    const lost: unknown[] = []
    const renewals = new Renewals()
    const leases: Leases = {
      renews: 'tags',
      renew: async (_holder, tags) => ({ held: false, lostTags: tags }),
    }
    renewals.hold('h')
    renewals.change('h', { added: ['a'], removed: [] })
    const listener = { lost: (holder: string, tags?: readonly string[]) => lost.push([holder, tags]) }

    const round = renewals.round(leases, 1000, listener)
    await turn()
    // The claim was settled, and the next one is there.
    renewals.change('h', { added: ['b'], removed: ['a'] })
    await round
    expect(lost).toEqual([])

    await renewals.round(leases, 1000, listener)
    expect(lost).toEqual([['h', undefined]])
  })

  it('tell the keeper once a turn which claims came and went', async () => {
    const told: TagChange[] = []
    const batch = new TagBatch(
      {
        hold: () => undefined,
        release: () => undefined,
        stop: async () => undefined,
        reconcile: () => undefined,
        changed: (_holder, change) => told.push(change),
      },
      'h',
    )

    batch.change('a', true)
    batch.change('b', true)
    batch.change('a', false)
    await turn()

    expect(told).toEqual([{ added: ['a', 'b'], removed: ['a'] }])
  })

  it('that are lost abort the signal of the task and drop what it returns', async () => {
    const clock = new ManualClock(Date.now())
    const url = `memory://${randomUUID()}`
    await using bench = new Bench({ broker: `${url}?leases=true`, backend: url, lease: 3 }, clock)
    const reason = gate<unknown>()
    const may = gate()
    const slow = bench.app.task({ name: 'tasks.slow', bind: true }, async (self) => {
      if (self.request.deliveryInfo.deliveryCount > 1) return 'second run'
      self.signal.addEventListener('abort', () => reason.open(self.signal.reason))
      await may.passed
      return 'first run'
    })
    const worker = await bench.start({ concurrency: 1 })
    const result = await slow.delay()
    await eventually(() => (worker.status.running === 1 ? true : undefined))
    await bench.start({ hostname: 'second@%h' })

    // The whole process stood still for longer than the lease.
    clock.advance(4_100)
    await turn()
    clock.advance(1_100)
    expect(await reason.passed).toBeInstanceOf(LeaseLostError)
    may.open()

    expect((await bench.record(result.id, 'SUCCESS')).result).toBe('second run')
    expect(bench.log.find(/lost its claim/)).toBeDefined()
    expect(bench.log.find(/Connection to broker lost: every claim was lost to its lease/)).toBeDefined()
    await eventually(() => (worker.status.isClaiming ? true : undefined))
  })
})
