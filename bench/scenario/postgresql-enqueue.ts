import { ratio, type Sample, type Scenario } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { send } from '../program/bench-app.js'
import { byPeer } from '../program/peer.js'
import { withPostgresql } from '../program/postgresql-place.js'
import { rawEnqueue } from '../program/postgresql-raw.js'
import { fill, postgresqlApp } from '../program/postgresql-worker.js'

const COUNT = 10_000
const BULK = 10_000
/** Sent before, by every contestant, so that producers are compared as they run, not as they start. */
const WARM_UP = 5_000

function byDelay(): Promise<Sample> {
  return withPostgresql(async (place) => {
    const bench = postgresqlApp(place.url)
    await send(bench, WARM_UP)
    const before = place.cpuUs()
    const stopwatch = new Stopwatch()
    await send(bench, COUNT)
    const sample = stopwatch.read(COUNT)
    const serverUs = (place.cpuUs() - before) / COUNT
    await bench.app.close()
    return { ...sample, serverUs }
  })
}

function byBulk(): Promise<Sample> {
  return withPostgresql(async (place) => {
    const bench = postgresqlApp(place.url)
    await fill(bench, 1000)
    const calls = Array.from({ length: BULK }, (_, index): [number] => [index])
    const before = place.cpuUs()
    const stopwatch = new Stopwatch()
    await bench.noop.bulk(calls)
    const sample = stopwatch.read(BULK)
    const serverUs = (place.cpuUs() - before) / BULK
    await bench.app.close()
    return { ...sample, serverUs }
  })
}

const peer = (name: 'graphile-worker' | 'pg-boss', what: string, count: number): Promise<Sample> =>
  withPostgresql((place) => byPeer(name, place, { what, count }))

/** How near sends come to raw inserts. */
export const postgresqlEnqueue: Scenario = {
  name: 'postgresql-enqueue',
  about: `Enqueue of ${COUNT} tasks on PostgreSQL with 100 in flight, and of ${BULK} in one call, against raw inserts and peers.`,
  rounds: 5,
  contestants: [
    { name: 'raw', run: () => withPostgresql((place) => rawEnqueue(place, COUNT, 1)) },
    { name: 'raw, 100 a statement', run: () => withPostgresql((place) => rawEnqueue(place, COUNT, 100, 1)) },
    { name: 'delay, 100 in flight', run: byDelay },
    { name: 'pg-boss send', run: () => peer('pg-boss', 'send', COUNT) },
    { name: 'graphile addJob', run: () => peer('graphile-worker', 'add', COUNT) },
    { name: 'bulk', run: byBulk },
    { name: 'graphile addJobs', run: () => peer('graphile-worker', 'bulk', BULK) },
    { name: 'pg-boss insert', run: () => peer('pg-boss', 'bulk', BULK) },
  ],
  goals: [
    ratio('delay, 100 in flight', 'raw', { atLeast: 0.7 }),
    ratio('delay, 100 in flight', 'pg-boss send', { atLeast: 1 }),
    ratio('bulk', 'graphile addJobs', { atLeast: 1 }),
  ],
}
