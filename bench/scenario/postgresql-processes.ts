import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { field, ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { withPool, withPostgresql } from '../program/postgresql-place.js'
import { fill, multiply, postgresqlApp } from '../program/postgresql-worker.js'
import { RemoteWorker } from '../program/remote-worker.js'

const COUNT = 80_000

async function until(pool: pg.Pool, condition: string): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ holds: boolean }>(`SELECT ${condition} AS holds`)
    if (rows[0]?.holds === true) return
    await sleep(25)
  }
}

const CLAIMED = 'EXISTS (SELECT 1 FROM lovage_message WHERE holder IS NOT NULL)'
// From the end, where the last ones are: from the start it would pass over everything that is gone.
const EMPTY = 'NOT EXISTS (SELECT 1 FROM lovage_message ORDER BY id DESC LIMIT 1)'

/** The second queue that these workers drain together: code is warm, and all of it is there at once. */
function byWorkers(processes: number): Promise<Sample> {
  return withPostgresql((place) =>
    withPool(place.url, 1, async (pool) => {
      const bench = postgresqlApp(place.url)
      await fill(bench, 1000)
      await multiply(pool, 0)
      const workers = await Promise.all(
        Array.from({ length: processes }, () => RemoteWorker.start(place.url, 10)),
      )
      await until(pool, EMPTY)
      await fill(bench, 10_000 * processes)
      await until(pool, EMPTY)
      const cpuMs = async (): Promise<number> => {
        const usages = await Promise.all(workers.map((worker) => worker.usage()))
        return usages.reduce((sum, usage) => sum + field(usage, 'cpuMs'), 0)
      }
      await multiply(pool, COUNT)
      const [beforeMs, beforeUs] = [await cpuMs(), place.cpuUs()]
      await until(pool, CLAIMED)
      const startedMs = performance.now()
      await until(pool, EMPTY)
      const tookMs = performance.now() - startedMs
      const cpuUs = (((await cpuMs()) - beforeMs) * 1000) / COUNT
      const serverUs = (place.cpuUs() - beforeUs) / COUNT
      await Promise.all(workers.map((worker) => worker.stop()))
      await bench.app.close()
      return { perSecond: (COUNT / tookMs) * 1000, cpuUs, serverUs, totalUs: cpuUs + serverUs }
    }),
  )
}

/** What several worker processes cost each other. */
export const postgresqlProcesses: Scenario = {
  name: 'postgresql-processes',
  about: `Drain of ${COUNT} no-op tasks on PostgreSQL by one to four worker processes, c10 each.`,
  rounds: 3,
  contestants: [1, 2, 4].map((processes) => ({ name: `${processes}`, run: () => byWorkers(processes) })),
  goals: [ratio('4', '1', { atMost: 1.2 }, 'totalUs')],
}
