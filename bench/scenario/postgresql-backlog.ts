import pg from 'pg'
import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { withPostgresql } from '../program/postgresql-place.js'
import { drainByWorker } from '../program/postgresql-worker.js'

const WARM_UP = 20_000

const byWorker = (count: number): Promise<Sample> =>
  withPostgresql((place) => drainByWorker(place, { count, concurrency: 10, warmUps: WARM_UP }))

/** 10,000 tasks after the worker has run this many; `held` while another session still sees them all. */
function afterTasks(warmUps: number, held: boolean): Promise<Sample> {
  return withPostgresql(async (place) => {
    const other = new pg.Client(place.url)
    await other.connect()
    // Its snapshot is older than every claim: nothing that dies may be removed.
    const hold = async (): Promise<void> => {
      await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM lovage_message')
    }
    try {
      const options = { count: 10_000, concurrency: 10, warmUps }
      return await drainByWorker(place, held ? { ...options, filled: hold } : options)
    } finally {
      await other.end()
    }
  })
}

/** What a task costs as the queue grows, and when vacuum cannot keep up. */
export const postgresqlBacklog: Scenario = {
  name: 'postgresql-backlog',
  about:
    'Processor time a task (worker and server) when a backlog is drained by a warm worker, c10; and after a million tasks of which the dead rows are left.',
  rounds: 3,
  contestants: [
    { name: '10,000', run: () => byWorker(10_000) },
    { name: '100,000', run: () => byWorker(100_000) },
    { name: '1,000,000', run: () => byWorker(1_000_000) },
    { name: 'after 1,000,000', run: () => afterTasks(1_000_000, false) },
    { name: 'after 1,000,000, snapshot held', run: () => afterTasks(1_000_000, true) },
  ],
  goals: [
    ratio('100,000', '10,000', { atMost: 1.2 }, 'totalUs'),
    ratio('1,000,000', '10,000', { atMost: 1.5 }, 'totalUs'),
    ratio('after 1,000,000', '10,000', { atMost: 1.5 }, 'totalUs'),
    ratio('after 1,000,000, snapshot held', '10,000', { atMost: 1.5 }, 'totalUs'),
  ],
}
