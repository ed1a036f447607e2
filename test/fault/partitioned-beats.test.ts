import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import { Beat } from '../../src/beat/index.js'
import { loadDriver } from '../../src/broker/driver-table.js'
import { Lovage, type ConfigInput } from '../../src/index.js'
import { systemClock } from '../../src/util/clock.js'
import { behind, type Network } from '../integration/beat/cut-network.js'
import { tempFolder } from '../support/temp.js'
import { beatStores, type FaultStore } from './fixture/fault-store.js'
import { audit, patientApp, takeSent } from './fixture/sent-occurrences.js'
import { internalsOf } from '../../src/util/internals.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const TICKS = isFull ? 1_000 : 25
const EVERY_MS = isFull ? 250 : 500
const SKEWS_MS = [-5_000, 5_000, 0, -2_500, 2_500]
/** Twice the lease. */
const CUT_MS = 12_000
const BETWEEN_MS = 3_000
/** A busy machine may be long in coming round. */
const LIMIT_MS = 60_000

const stores = beatStores(isFull)

/** A beat with a clock and a network of its own. */
class Member implements Network {
  isCut = false
  readonly app: Lovage
  readonly beat: Beat

  constructor(settings: ConfigInput, skewMs: number) {
    const clock = { ...systemClock, now: () => systemClock.now() + skewMs }
    this.app = new Lovage('clock', { ...settings, broker: 'cut://', backend: false }, { clock })
    const { brokers } = this.app
    const url = typeof settings.broker === 'string' ? settings.broker : ''
    brokers.register({
      schemes: ['cut'],
      load: async () => {
        const found = brokers.find(url)
        const { createBroker } = await loadDriver(found)
        return { createBroker: (_url, options) => behind(this, createBroker(found.url, options)) }
      },
    })
    internalsOf(this.app).periodic.add('tick', {
      task: 'clock.tick',
      schedule: EVERY_MS / 1000,
      catchUp: 'all',
    })
    this.beat = new Beat(this.app)
  }
}

/** What came of the ticks of five beats, and how often another took the lead. */
async function ordeal(store: FaultStore): Promise<ReturnType<typeof audit> & { readonly takeovers: number }> {
  await using folder = await tempFolder('beats')
  const settings = store.settings(folder, false)
  const members = SKEWS_MS.map((skewMs) => new Member(settings, skewMs))
  const running = members.map(({ beat }) => beat.run())
  await leaderOf(members)
  const endMs = performance.now() + TICKS * EVERY_MS
  let takeovers = 0
  while (performance.now() < endMs) {
    await sleep(BETWEEN_MS)
    const leader = await leaderOf(members)
    leader.isCut = true
    await sleep(CUT_MS)
    if ((await leaderOf(members)) !== leader) takeovers += 1
    leader.isCut = false
  }
  // All that was due while nobody led is caught up.
  await sleep(BETWEEN_MS)
  await Promise.all(members.map(({ beat }) => beat.stop()))
  await Promise.all(running)
  await Promise.all(members.map(({ app }) => app.close()))
  await using app = patientApp(settings, store.name)
  return { ...audit(await takeSent(app), 'tick', EVERY_MS), takeovers }
}

async function leaderOf(members: readonly Member[]): Promise<Member> {
  return eventually(() => members.find(({ beat, isCut }) => beat.status.leads && !isCut), LIMIT_MS)
}

describe('five beats with clocks ten seconds apart, the leader cut off for twice its lease again and again', () => {
  // All at once: they mostly wait.
  const ordeals = new Map<string, ReturnType<typeof ordeal>>()
  const of = async (store: FaultStore): ReturnType<typeof ordeal> => {
    for (const each of stores) if (!ordeals.has(each.name)) ordeals.set(each.name, ordeal(each))
    await Promise.allSettled(ordeals.values())
    return ordeals.get(store.name) ?? ordeal(store)
  }

  it.each(stores.map((store) => [store.name, store] as const))(
    `send each of ${String(TICKS)} occurrences once on %s`,
    async (name, store) => {
      const { count, doubles, missing, takeovers } = await of(store)
      if (isFull) process.stderr.write(`${name}: ${String(count)} ticks, ${String(takeovers)} takeovers\n`)

      expect({ doubles, missing }).toEqual({ doubles: [], missing: [] })
      expect(count).toBeGreaterThanOrEqual(TICKS)
      expect(takeovers).toBeGreaterThan(0)
    },
    TICKS * EVERY_MS + 2 * LIMIT_MS,
  )
})
