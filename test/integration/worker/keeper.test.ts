import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, jest } from '@jest/globals'
import { silentLogger } from '../../../src/task/logger.js'
import { ThreadKeeper } from '../../../src/worker/lease/thread-keeper.js'
import { FaultBench } from '../../fault/fixture/fault-bench.js'
import { internalsOf } from '../../../src/util/internals.js'

jest.setTimeout(60_000)

/** Long enough for a new thread to start on a busy machine before the claim runs out. */
const LEASE_MS = 4_000

const never = new AbortController().signal

async function withKeeper(
  use: (parts: {
    readonly bench: FaultBench
    readonly keeper: ThreadKeeper
    readonly take: (waitMs: number) => Promise<number>
    readonly lost: unknown[]
  }) => Promise<void>,
): Promise<void> {
  await using bench = await FaultBench.open()
  const { app, note } = bench.tasks
  const { moduleUrl = '', target, options } = internalsOf(app).brokerLocation()
  const keeper = new ThreadKeeper(
    {
      moduleUrl,
      brokerUrl: typeof target === 'string' ? target : '',
      hasDriverSuffix: false,
      transportOptions: options.transportOptions ?? {},
      leaseMs: LEASE_MS,
    },
    silentLogger,
  )
  const broker = await internalsOf(app).openBroker()
  const other = await internalsOf(app).openBroker()
  const lost: unknown[] = []
  try {
    await note.delay(bench.log, 'a')
    const consumer = await broker.consume(['celery'], { credit: 1, leaseMs: LEASE_MS })
    const rival = await other.consume(['celery'], { credit: 1, leaseMs: LEASE_MS })
    const [claimed] = await consumer.fetch(1, { waitMs: 5_000, signal: never })
    expect(claimed).toBeDefined()
    if (broker.leases === undefined || consumer.holder === undefined) throw new RangeError('no leases')
    keeper.hold({ holder: consumer.holder, leases: broker.leases, lost: (tags) => lost.push(tags) })
    const take = async (waitMs: number): Promise<number> =>
      (await rival.fetch(1, { waitMs, signal: never })).length
    await use({ bench, keeper, take, lost })
  } finally {
    await keeper.stop()
    await broker.close()
    await other.close()
  }
}

describe('the thread that renews claims', () => {
  it('keeps a claim for many times the lease, also while this thread is blocked', async () => {
    await withKeeper(async ({ take }) => {
      const endMs = performance.now() + 2 * LEASE_MS
      while (performance.now() < endMs);

      expect(await take(LEASE_MS)).toBe(0)
    })
  })

  it('lets the claim go when it is told to', async () => {
    await withKeeper(async ({ keeper, take }) => {
      await sleep(1_500)
      await keeper.stop()

      expect(await take(4 * LEASE_MS)).toBe(1)
    })
  })

  it('is started again when it dies, and goes on with what it had', async () => {
    await withKeeper(async ({ keeper, take }) => {
      await sleep(300)
      const before = keeper.threadId
      await keeper.kill()
      await sleep(500)

      expect(keeper.threadId).not.toBe(before)
      expect(await take(2 * LEASE_MS)).toBe(0)
    })
  })
})
