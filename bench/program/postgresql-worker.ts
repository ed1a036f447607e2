import type pg from 'pg'
import { Worker } from '../../src/worker/index.js'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { benchApp, type BenchApp } from './bench-app.js'
import { withPool, type PostgresqlPlace } from './postgresql-place.js'

/** A worker that is measured. */
export interface DrainOptions {
  readonly count: number
  readonly concurrency: number
  readonly withResults?: boolean
  /** Tasks that it runs before and that are not measured, so that the code is warm. */
  readonly warmUps?: number
  /** Done when the queue is filled, before the worker is there. */
  readonly filled?: () => Promise<void>
}

/** An app whose two halves are on the server. */
export function postgresqlApp(url: string, withResults = false): BenchApp {
  return benchApp({ broker: url, backend: url }, !withResults)
}

/** Send by calls of `bulk`, which is what every program begins with. */
export async function fill({ noop }: BenchApp, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 5000) {
    const size = Math.min(5000, count - sent)
    await noop.bulk(Array.from({ length: size }, (_, index): [number] => [sent + index]))
  }
}

/** Put `count` messages into the queue by copying the first that ever was there; sending a backlog would take long. */
export async function multiply(pool: pg.Pool, count: number): Promise<void> {
  await pool.query('CREATE TABLE IF NOT EXISTS bench_first AS SELECT * FROM lovage_message LIMIT 1')
  await pool.query(
    `INSERT INTO lovage_message (queue, rank, meta, body)
     SELECT queue, rank, meta, body FROM bench_first, generate_series(1, $1::int)`,
    [count],
  )
}

/** Drain by a worker in this process, from the first body after the warm-up until the last row is gone. */
export async function drainByWorker(place: PostgresqlPlace, options: DrainOptions): Promise<Sample> {
  const { count, concurrency, withResults = false, warmUps = 0, filled } = options
  return withPool(place.url, 1, async (pool) => {
    const bench = postgresqlApp(place.url, withResults)
    await fillFast(bench, pool, warmUps + count)
    await filled?.()
    const worker = new Worker(bench.app, { concurrency })
    const begun = bench.ran(Math.max(1, warmUps))
    const starting = worker.start()
    await begun
    const all = bench.ran(warmUps + count)
    const beforeUs = place.cpuUs()
    const stopwatch = new Stopwatch()
    await all
    while (!(await isEmpty(pool))) await new Promise((resolve) => setTimeout(resolve, 1))
    const sample = stopwatch.read(count)
    const serverUs = (place.cpuUs() - beforeUs) / count
    await starting
    await worker.stop()
    await bench.app.close()
    return { ...sample, serverUs, totalUs: (sample['cpuUs'] ?? 0) + serverUs }
  })
}

/** Sends the first, copies the rest: those have one task id, so that they are for drains without results. */
async function fillFast(bench: BenchApp, pool: pg.Pool, count: number): Promise<void> {
  const sent = Math.min(count, 40_000)
  await fill(bench, sent)
  await multiply(pool, count - sent)
}

async function isEmpty(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ some: boolean }>(
    'SELECT EXISTS (SELECT 1 FROM lovage_message ORDER BY id DESC LIMIT 1) AS some',
  )
  return rows[0]?.some === false
}
