import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { Worker } from '../../src/worker/index.js'
import { OwnServer } from '../support/own-server.js'
import { serviceUrl } from '../support/service-url.js'
import { tempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp } from './fixture/tasks.js'
import { untilSent } from './fixture/until-sent.js'

const RESUMES_MS = 10_000

jest.setTimeout(120_000)

const require = createRequire(import.meta.url)

function openKnex(url: string): Knex {
  const knex: (config: Knex.Config) => Knex = require('knex')
  const silent = { warn: () => undefined, error: () => undefined }
  return knex({ client: 'pg', connection: url, pool: { min: 0, max: 1 }, log: silent })
}

/** From here on a commit on `primary` is known to its standby too. */
async function keepInStep(primary: OwnServer): Promise<void> {
  const admin = openKnex(primary.url())
  await admin.raw("ALTER SYSTEM SET synchronous_standby_names TO '*'")
  await admin.raw('SELECT pg_reload_conf()')
  const endMs = performance.now() + 20_000
  for (;;) {
    const answer: unknown = await admin.raw("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
    if (JSON.stringify(answer).includes('"rowCount":1')) break
    if (performance.now() > endMs) throw new RangeError('no standby follows')
    await sleep(50)
  }
  await admin.destroy()
}

async function promote(standby: OwnServer): Promise<void> {
  const admin = openKnex(standby.url())
  await admin.raw('SELECT pg_promote()')
  await admin.destroy()
}

const itHere = serviceUrl('postgresql') === undefined ? it.skip : it

const ways: readonly (readonly [string, (first: string, second: string) => string])[] = [
  ['a list of URLs', (first, second) => `${first};${second}`],
  ['one URL', bothIn],
]

/** `postgresql://user@a:1,b:2/database`. */
function bothIn(first: string, second: string): string {
  return first.replace(/(:\d+)\//, `$1,${new URL(second).host}/`)
}

itHere.each(ways)(
  'a worker with a PostgreSQL and its standby in %s goes on within ten seconds when the first dies and the second is promoted',
  async (_way, brokerOf) => {
    await using primary = await OwnServer.open('postgresql')
    await using standby = await OwnServer.standbyOf(primary)
    await keepInStep(primary)
    await using folder = await tempFolder('standby')
    const runs = new NotedRuns(folder.file('runs.log'))
    const [first, second] = [primary.url(), standby.url()]
    const tasks = faultApp({ broker: brokerOf(first, second), backend: bothIn(first, second), lease: 4 })
    await using _app = { [Symbol.asyncDispose]: () => tasks.app.close() }
    await using worker = new Worker(tasks.app, { concurrency: 5 })
    await worker.start()
    const sent = await Promise.all(
      Array.from({ length: 20 }, (_, n) => tasks.wait.delay(runs.path, `task-${n}`, 100 * n)),
    )
    const waiting = Promise.all(sent.map((result) => result.get(60)))
    expect(await sent[0]?.get(20)).toBe(process.pid)

    await primary.kill()
    // For a while there is one that only reads.
    await sleep(500)
    await promote(standby)
    const beganMs = performance.now()
    const probe = await untilSent(() => tasks.note.delay(runs.path, 'probe'))
    expect(await probe.get(60)).toBe(process.pid)

    expect(performance.now() - beganMs).toBeLessThan(RESUMES_MS)
    expect(await waiting).toEqual(sent.map(() => process.pid))
    // In a list the dead server is another broker, whose claims cannot be settled any more.
    await worker.stop({ hard: true })
  },
)
