import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { migrate } from '../../brokers/sql/index.js'
import type { Broker } from '../../src/broker/contract.js'
import { BrokerConnectionError } from '../../src/errors/errors.js'
import { Worker } from '../../src/worker/index.js'
import { itWithSmallDisk, smallDisk } from '../support/small-disk.js'
import type { SmallDisk } from '../support/small-disk.js'
import { OwnServer } from '../support/own-server.js'
import type { SqlServer } from '../support/sql-place.js'
import { serviceUrl } from '../support/service-url.js'
import { textMessage } from '../integration/sql/queue.js'
import { tempFolder } from '../support/temp.js'
import type { TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp } from './fixture/tasks.js'
import type { FaultTasks } from './fixture/tasks.js'
import { internalsOf } from '../../src/util/internals.js'

jest.setTimeout(120_000)

const require = createRequire(import.meta.url)

/** A server, an app and a worker on it, and a connection of the administrator's. */
class Bench implements AsyncDisposable {
  readonly server: OwnServer
  readonly tasks: FaultTasks
  readonly runs: NotedRuns
  readonly admin: Knex
  readonly #folder: TempFolder

  private constructor(server: OwnServer, folder: TempFolder) {
    this.server = server
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    this.tasks = faultApp({ broker: server.url(), backend: server.url(), lease: 5 })
    const knex: (config: Knex.Config) => Knex = require('knex')
    const client = server.kind === 'postgresql' ? 'pg' : 'mysql2'
    this.admin = knex({ client, connection: server.url(), pool: { min: 0, max: 2 } })
  }

  static async open(kind: SqlServer): Promise<Bench> {
    return new Bench(await OwnServer.open(kind), await tempFolder('trouble'))
  }

  /** Do `work` while a worker runs; a task was run before. */
  async working(work: () => Promise<void>): Promise<void> {
    await using worker = new Worker(this.tasks.app, { concurrency: 5 })
    await worker.start()
    const first = await this.tasks.note.delay(this.runs.path, 'first')
    await first.get(20)
    await work()
    await worker.stop()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tasks.app.close()
    await this.admin.destroy()
    await this.server[Symbol.asyncDispose]()
    await this.#folder.remove()
  }
}

/** Keep every other session from the table of messages for a while. */
async function lockMessages({ admin, server }: Bench, ms: number): Promise<void> {
  if (server.kind === 'postgresql') {
    await admin.transaction(async (trx) => {
      await trx.raw('LOCK TABLE lovage_message IN ACCESS EXCLUSIVE MODE')
      await sleep(ms)
    })
    return
  }
  await admin.transaction(async (trx) => {
    await trx.raw('LOCK TABLES lovage_message WRITE')
    await sleep(ms)
    await trx.raw('UNLOCK TABLES')
  })
}

/** The shortest limit for statements, for all sessions that begin from now on. */
const LIMIT: Readonly<Record<SqlServer, string>> = {
  postgresql: "ALTER ROLE lovage SET statement_timeout TO '300ms'",
  mariadb: 'SET GLOBAL max_statement_time = 0.3',
}
const NO_LIMIT: Readonly<Record<SqlServer, string>> = {
  postgresql: 'ALTER ROLE lovage RESET statement_timeout',
  mariadb: 'SET GLOBAL max_statement_time = 0',
}

for (const kind of ['postgresql', 'mariadb'] as const) {
  const describeHere = serviceUrl(kind) === undefined ? describe.skip : describe

  describeHere(`a worker on ${kind}`, () => {
    let bench: Bench

    beforeAll(async () => {
      bench = await Bench.open(kind)
    })

    afterAll(async () => {
      await bench?.[Symbol.asyncDispose]()
    })

    it('settles again what the server undid for a deadlock', async () => {
      const { admin, tasks, runs } = bench
      await bench.working(async () => {
        const taskId = randomUUID()
        await admin
          .transaction(async (trx) => {
            // Whoever asks whether there is a circle is the one to give way.
            if (kind === 'postgresql') await trx.raw("SET LOCAL deadlock_timeout TO '20s'")
            // Of MySQL's kind the one that has changed fewer rows gives way.
            const rows = Array.from({ length: 50 }, (_, n) => ({ task_id: `weight-${n}`, status: 'PENDING' }))
            await trx('celery_taskmeta').insert([{ task_id: taskId, status: 'PENDING' }, ...rows])
            // Only now is it sent: its result cannot be there before the row that stands in its way.
            await tasks.wait.applyAsync([runs.path, 'embraced', 50], { taskId })
            await untilWaiting(admin, kind)
            await trx('lovage_message').whereNotNull('holder').update({ due: 0 })
            await trx.rollback()
          })
          .catch((error: unknown) => expect(String(error)).toMatch(/rolled back|rejected/))

        const result = tasks.app.AsyncResult(taskId)
        expect(await result.get(20)).toBe(process.pid)
        expect(runs.of('embraced').length).toBe(1)
        if (kind === 'postgresql') expect(bench.server.log).toContain('deadlock detected')
        else expect(await counter(admin, 'Innodb_deadlocks')).toBeGreaterThan(0)
      })
    })

    it('loses nothing when its statements run into the limit of the server', async () => {
      const { admin, tasks, runs } = bench
      await admin.raw(LIMIT[kind])
      await endOthers(bench)
      await bench.working(async () => {
        const sent = await Promise.all(
          Array.from({ length: 10 }, (_, n) => tasks.wait.delay(runs.path, `limited-${n}`, 50 * n)),
        )
        await lockMessages(bench, 1500)

        const pids = await Promise.all(sent.map((result) => result.get(20)))
        expect(pids).toEqual(sent.map(() => process.pid))
      })
      await admin.raw(NO_LIMIT[kind])
      if (kind === 'postgresql') expect(bench.server.log).toContain('due to statement timeout')
      else expect(await counter(admin, 'Max_statement_time_exceeded')).toBeGreaterThan(0)
    })
  })
}

/** End every other session, so that all that come have the new limit. */
async function endOthers({ admin, server }: Bench): Promise<void> {
  if (server.kind === 'postgresql') {
    await admin.raw(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
    return
  }
  const answer: unknown = await admin.raw(
    "SELECT id FROM information_schema.processlist WHERE user = 'lovage' AND id <> connection_id()",
  )
  for (const [, id] of JSON.stringify(answer).matchAll(/"id":"?(\d+)/g)) await admin.raw(`KILL ${id}`)
}

/** One of MariaDB's counters since it was started. */
async function counter(admin: Knex, name: string): Promise<number> {
  const answer: unknown = await admin.raw(`SHOW GLOBAL STATUS LIKE '${name}'`)
  return Number(/"Value":"(\d+)"/.exec(JSON.stringify(answer))?.[1])
}

async function untilWaiting(admin: Knex, kind: SqlServer): Promise<void> {
  const text =
    kind === 'postgresql'
      ? "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
      : "SELECT count(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
  for (;;) {
    const answer: unknown = await admin.raw(text)
    if (/"n":"?[1-9]/.test(JSON.stringify(answer))) return
    // InnoDB answers from a copy until nobody has read it for 100 ms.
    await sleep(150)
  }
}

const describePostgresql = serviceUrl('postgresql') === undefined ? describe.skip : describe

describePostgresql('workers on postgresql in a database whose transactions are serializable', () => {
  it('run each task once, however often the server undoes what they do', async () => {
    await using bench = await Bench.open('postgresql')
    const { admin, runs, server } = bench
    await admin.raw("ALTER DATABASE postgres SET default_transaction_isolation TO 'serializable'")
    await admin.destroy()
    // The connections of an application are taken as they are.
    const knex: (config: Knex.Config) => Knex = require('knex')
    const own = knex({ client: 'pg', connection: server.url(), pool: { min: 0, max: 20 } })
    await migrate(own)
    const apps = [0, 1].map(() => faultApp({ broker: own, taskPublishRetry: true }))
    const workers = apps.map(({ app }) => new Worker(app, { concurrency: 10 }))
    for (const worker of workers) await worker.start()

    const sent: Promise<number>[] = []
    for (let round = 0; round < 20; round += 1) {
      const results = await Promise.all(
        apps.flatMap(({ note }, app) =>
          Array.from({ length: 5 }, (_, n) => note.delay(runs.path, `task-${round}-${app}-${n}`)),
        ),
      )
      sent.push(...results.map((result) => result.get(60)))
    }

    expect(await Promise.all(sent)).toEqual(sent.map(() => process.pid))
    expect(new Set(runs.of().map(({ id }) => id)).size).toBe(200)
    expect(runs.of().length).toBe(200)
    expect(server.log).toContain('could not serialize access')
    for (const worker of workers) await worker.stop()
    for (const { app } of apps) await app.close()
    await own.destroy()
  })
})

const itOnDisk = await itWithSmallDisk()

/** A small place for the tables of Lovage's, as long as `disk` is there. */
async function smallPlace(bench: Bench): Promise<{ readonly disk: SmallDisk; readonly url: string }> {
  const { admin, server } = bench
  if (server.kind === 'mariadb') {
    // A database of MariaDB is a folder.
    const disk = await smallDisk(server.file('data/small'), 8)
    return { disk, url: server.url().replace(/\/test$/, '/small') }
  }
  const disk = await smallDisk(server.file('disk'), 4)
  await server.handOver(disk.path)
  await admin.raw(`CREATE TABLESPACE small LOCATION '${disk.path}'`)
  await admin.raw('ALTER ROLE lovage SET default_tablespace TO small')
  return { disk, url: server.url() }
}

for (const kind of ['postgresql', 'mariadb'] as const) {
  const describeHere = serviceUrl(kind) === undefined ? describe.skip : describe

  describeHere(`a worker on ${kind} whose disk is full`, () => {
    itOnDisk(
      'refuses senders with an error to retry, and settles what runs when there is room again',
      async () => {
        await using bench = await Bench.open(kind)
        const place = await smallPlace(bench)
        await using disk = place.disk
        const { runs } = bench
        await bench.admin.destroy()
        const tasks = faultApp({ broker: place.url, backend: place.url, lease: 5 })
        await using worker = new Worker(tasks.app, { concurrency: 5 })
        await worker.start()
        const running = await tasks.wait.delay(runs.path, 'running', 1500)
        const broker = await internalsOf(tasks.app).broker()
        await broker.declare({ name: 'parked', lifetime: 'durable', bindings: [] })
        const { sent, error } = await fillUp(broker)
        await sleep(2000)

        expect(error).toBeInstanceOf(BrokerConnectionError)
        expect(error).toMatchObject({ retryable: true })
        await disk.grow()
        expect(await running.get(10)).toBe(process.pid)
        expect(runs.of('running').length).toBe(1)
        const next = await tasks.note.delay(runs.path, 'next')
        expect(await next.get(10)).toBe(process.pid)
        expect(await broker.depth('parked')).toBe(sent)
        await worker.stop()
        await tasks.app.close()
      },
    )
  })
}

/** Send until there is no room; how many were taken. */
async function fillUp(broker: Broker): Promise<{ readonly sent: number; readonly error: unknown }> {
  const padding = 'x'.repeat(3000)
  for (let sent = 0; ; sent += 40) {
    const batch = Array.from({ length: 40 }, (_, n) => textMessage('parked', `${n}`, { padding }))
    try {
      await broker.publish(batch)
    } catch (error) {
      return { sent, error }
    }
  }
}
