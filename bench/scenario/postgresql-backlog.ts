import pg from 'pg'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { withPostgresql } from '../program/postgresql-place.js'
import { drainByWorker } from '../program/postgresql-worker.js'

const WARM_UP = 20_000

const byWorker = (count: number): Promise<Sample> =>
  withPostgresql((place) => drainByWorker(place, { count, concurrency: 10, warmUps: WARM_UP }))

/** The first 10,000 of a queue where another session has kept every dead row of `dead` tasks from being removed. */
function afterStorm(dead: number, held: boolean): Promise<Sample> {
  return withPostgresql(async (place) => {
    const holder = new pg.Client(place.url)
    await holder.connect()
    try {
      return await drainByWorker(place, {
        count: 10_000,
        concurrency: 10,
        warmUps: dead,
        // The snapshot is taken before the storm: nothing that dies after it may be removed.
        early: async () => {
          if (held) await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1')
        },
      })
    } finally {
      await holder.end()
    }
  })
}

/** What a task costs as the queue grows, and when vacuum cannot keep up. */
export const postgresqlBacklog: Scenario = {
  name: 'postgresql-backlog',
  about:
    'Processor time a task (worker and server) when a backlog is drained by a warm worker, c10; and after a storm of dead rows.',
  rounds: 3,
  contestants: [
    { name: '10,000', run: () => byWorker(10_000) },
    { name: '100,000', run: () => byWorker(100_000) },
    { name: '1,000,000', run: () => byWorker(1_000_000) },
    { name: 'after 1,000,000', run: () => afterStorm(1_000_000, false) },
    { name: 'after 1,000,000, snapshot held', run: () => afterStorm(1_000_000, true) },
  ],
  goals: [
    ratio('100,000', '10,000', { atMost: 1.2 }, 'totalUs'),
    ratio('1,000,000', '10,000', { atMost: 1.5 }, 'totalUs'),
    ratio('after 1,000,000', '10,000', { atMost: 1.5 }, 'totalUs'),
    ratio('after 1,000,000, snapshot held', '10,000', { atMost: 1.5 }, 'totalUs'),
  ],
}
