import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../conformance/time.js'
import { Beat } from '../../src/beat/index.js'
import { Lovage } from '../../src/index.js'
import { OwnServer } from '../support/own-server.js'
import { canStartRedis, RedisServer } from '../support/redis-server.js'
import { audit, takeSent, type SentOccurrence } from './fixture/sent-occurrences.js'
import { internalsOf } from '../../src/util/internals.js'

const DOWN_MS = process.env['LOVAGE_TEST_FULL'] === 'true' ? 300_000 : 4_000
const LIMIT_MS = DOWN_MS + 60_000

/** A server that a test may take away. */
interface Store extends AsyncDisposable {
  readonly url: string
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
}

const stores: readonly (readonly [name: string, isThere: boolean, open: () => Promise<Store>])[] = [
  ['PostgreSQL', (await OwnServer.missing('postgresql')) === undefined, openPostgresql],
  ['Redis', canStartRedis(), openRedis],
]

async function openPostgresql(): Promise<Store> {
  const server = await OwnServer.open('postgresql')
  return {
    url: server.url(),
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function openRedis(): Promise<Store> {
  const server = await RedisServer.start('--appendonly', 'yes', '--appendfsync', 'always')
  return {
    url: server.url,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Wait until both entries were sent, once more. */
async function more(beat: Beat): Promise<void> {
  const before = beat.status.sent + 3
  await eventually(() => beat.status.sent > before, 30_000)
}

interface Outcome {
  readonly sent: readonly SentOccurrence[]
  readonly missed: number
  readonly oldestMs: number
}

/** What beat sends around a time in which its store is down. */
async function ordeal(store: Store): Promise<Outcome> {
  await using app = new Lovage('clock', { broker: store.url, backend: false })
  internalsOf(app).periodic.add('all', { task: 'clock.tick', schedule: 1, catchUp: 'all' })
  internalsOf(app).periodic.add('last', { task: 'clock.tick', schedule: 1 })
  await using beat = new Beat(app)
  const running = beat.run()
  await more(beat)
  await store.kill()
  await sleep(DOWN_MS)
  const oldestMs = beat.status.lastTickAgeMs ?? 0
  await store.start()
  await eventually(() => beat.status.missed > 0, 30_000)
  await more(beat)
  await beat.stop()
  await running
  return { sent: await takeSent(app), missed: beat.status.missed, oldestMs }
}

describe(`a beat whose store is killed and down for ${String(DOWN_MS / 1000)} seconds`, () => {
  for (const [name, isThere, open] of stores) {
    const itHere = isThere ? it : it.skip

    itHere(
      `goes on when it is back, sends every occurrence once where all are caught up, and tells what it missed: ${name}`,
      async () => {
        await using store = await open()
        const { sent, missed, oldestMs } = await ordeal(store)

        const all = audit(sent, 'all', 1_000)
        expect(all).toMatchObject({ doubles: [], missing: [] })
        expect(all.count).toBeGreaterThanOrEqual(DOWN_MS / 1_000)
        const last = audit(sent, 'last', 1_000)
        expect(last.doubles).toEqual([])
        expect(last.missing).toHaveLength(missed)
        expect(missed).toBeGreaterThan(0)
        expect(oldestMs).toBeGreaterThan(DOWN_MS - 3_000)
      },
      LIMIT_MS,
    )
  }
})
