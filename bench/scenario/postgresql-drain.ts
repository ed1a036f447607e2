import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { byPeer } from '../program/peer.js'
import { withPostgresql } from '../program/postgresql-place.js'
import { rawDrain } from '../program/postgresql-raw.js'
import { drainByWorker } from '../program/postgresql-worker.js'

const COUNT = 20_000
/** Run first and not measured, by every contestant: a worker lives for days, its compiler's work takes a second. */
const WARM_UP = 20_000

const byWorker = (concurrency: number, withResults = false): Promise<Sample> =>
  withPostgresql((place) =>
    drainByWorker(place, { count: COUNT, concurrency, withResults, warmUps: WARM_UP }),
  )

const raw = (connections: number, withResults = false): Promise<Sample> =>
  withPostgresql((place) => rawDrain(place, { warmUp: WARM_UP, count: COUNT, connections, withResults }))

const graphile = (what: string, concurrency: number): Promise<Sample> =>
  withPostgresql((place) =>
    byPeer('graphile-worker', place, { what, count: COUNT, concurrency, warmUp: WARM_UP }),
  )

const pgBoss = (what: string): Promise<Sample> =>
  withPostgresql((place) => byPeer('pg-boss', place, { what, count: COUNT, warmUp: WARM_UP }))

/** How near a worker on PostgreSQL comes to what PostgreSQL can do, and what its peers do. */
export const postgresqlDrain: Scenario = {
  name: 'postgresql-drain',
  about: `Drain of ${COUNT} no-op tasks on PostgreSQL after ${WARM_UP} that are not measured, against raw two-phase batches of 100, graphile-worker and pg-boss.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => raw(2) },
    { name: 'raw c10', run: () => raw(10) },
    { name: 'raw results', run: () => raw(2, true) },
    { name: 'worker c10', run: () => byWorker(10) },
    { name: 'worker c100', run: () => byWorker(100) },
    { name: 'worker c10 results', run: () => byWorker(10, true) },
    { name: 'worker c100 results', run: () => byWorker(100, true) },
    { name: 'graphile batch c100', run: () => graphile('drain', 100) },
    { name: 'graphile c10', run: () => graphile('drain-single', 10) },
    { name: 'pg-boss batch', run: () => pgBoss('drain') },
    { name: 'pg-boss results', run: () => pgBoss('drain-results') },
  ],
  goals: [
    ratio('worker c10', 'raw', { atLeast: 0.6 }),
    ratio('worker c10', 'raw c10', { atLeast: 0.6 }),
    ratio('worker c100', 'graphile batch c100', { atLeast: 1 }),
    ratio('worker c100', 'graphile batch c100', { atMost: 1 }, 'totalUs'),
    ratio('worker c10 results', 'pg-boss results', { atLeast: 2 }),
    ratio('worker c100 results', 'pg-boss results', { atLeast: 2 }),
  ],
}
