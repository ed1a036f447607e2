import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { Knex } from 'knex'
import { Worker } from '../../src/worker/index.js'
import { HalfOpenProxy } from '../support/half-open-proxy.js'
import { anyPort, OwnServer } from '../support/own-server.js'
import type { SqlServer } from '../support/sql-place.js'
import { serviceUrl } from '../support/service-url.js'
import { tempFolder } from '../support/temp.js'
import type { TempFolder } from '../support/temp.js'
import { NotedRuns } from './fixture/noted-runs.js'
import { faultApp } from './fixture/tasks.js'
import type { FaultTasks } from './fixture/tasks.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
const rounds = isFull ? 20 : 1
const RESUMES_MS = 10_000
/** Much less than the poll of a worker that is told of commits, in milliseconds. */
const TOLD_MS = 5000
/** How long the server may take to answer before the connection is given up, in seconds. */
const ANSWER = 1

jest.setTimeout(isFull ? 3_600_000 : 180_000)

const require = createRequire(import.meta.url)

/** A worker that reaches its server through a proxy, and a client that does not. */
class Line implements AsyncDisposable {
  readonly server: OwnServer
  readonly proxy: HalfOpenProxy
  /** In front of the client, so that it finds a server that has moved. */
  readonly near: HalfOpenProxy
  readonly client: FaultTasks
  readonly far: FaultTasks
  readonly admin: Knex
  readonly runs: NotedRuns
  readonly #folder: TempFolder
  #worker: Worker | undefined

  private constructor(
    server: OwnServer,
    proxies: readonly [HalfOpenProxy, HalfOpenProxy],
    folder: TempFolder,
    lease: number,
  ) {
    const [proxy, near] = proxies
    this.server = server
    this.proxy = proxy
    this.near = near
    this.#folder = folder
    this.runs = new NotedRuns(folder.file('runs.log'))
    this.client = faultApp({ broker: server.url(near.port), backend: server.url(near.port) })
    // On PostgreSQL a worker that is not told waits for longer than any test does.
    const poll = server.kind === 'postgresql' ? '&pollInterval=20' : ''
    const url = `${server.url(proxy.port)}?queryTimeout=${ANSWER}${poll}`
    this.far = faultApp({ broker: url, backend: url, lease })
    const knex: (config: Knex.Config) => Knex = require('knex')
    const client = server.kind === 'postgresql' ? 'pg' : 'mysql2'
    const silent = { warn: () => undefined, error: () => undefined }
    this.admin = knex({ client, connection: server.url(near.port), pool: { min: 0, max: 2 }, log: silent })
  }

  static async open(kind: SqlServer, lease = 4): Promise<Line> {
    const server = await OwnServer.open(kind)
    const proxies = [await HalfOpenProxy.open(server.port), await HalfOpenProxy.open(server.port)] as const
    return new Line(server, proxies, await tempFolder('line'), lease)
  }

  async work(): Promise<void> {
    this.#worker = new Worker(this.far.app, { concurrency: 5 })
    await this.#worker.start()
    await this.answers()
  }

  /** Milliseconds until a new task is run and its result is here. */
  async answers(): Promise<number> {
    const beganMs = performance.now()
    const result = await this.client.note.delay(this.runs.path, 'probe')
    await result.get(60)
    return performance.now() - beganMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.stop({ hard: true })
    await this.far.app.close()
    await this.client.app.close()
    await this.admin.destroy()
    await this.proxy[Symbol.asyncDispose]()
    await this.near[Symbol.asyncDispose]()
    await this.server[Symbol.asyncDispose]()
    await this.#folder.remove()
  }
}

const KILL_ALL: Readonly<Record<SqlServer, string>> = {
  postgresql: 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
  mariadb: 'KILL USER lovage',
}

/** What goes wrong, until it is over for the server and the network. */
const faults: Readonly<Record<string, (line: Line) => Promise<void>>> = {
  'is reset': async ({ proxy }) => {
    proxy.cut()
    await Promise.resolve()
  },
  'is closed': async ({ proxy }) => {
    proxy.hangUp()
    await Promise.resolve()
  },
  'goes dead without a word': async ({ proxy }) => {
    const bury = proxy.freeze()
    setTimeout(bury, 4000 * ANSWER).unref()
    await Promise.resolve()
  },
  'stalls for longer than the worker waits': async ({ proxy }) => {
    proxy.fallSilent()
    await sleep(isFull ? 60_000 : 3000)
    proxy.speak()
  },
  'is ended by the administrator': async ({ admin, server }) => {
    await admin.raw(KILL_ALL[server.kind]).catch(() => undefined)
  },
  'ends with the server, which is stopped and started again': async ({ server }) => {
    await server.stop()
    await server.start()
  },
  'fails over to another server, after a time in which the old one only reads': async (line) => {
    const { admin, server, proxy, near } = line
    if (server.kind === 'postgresql') {
      await admin.raw('ALTER SYSTEM SET default_transaction_read_only TO on')
      await admin.raw('SELECT pg_reload_conf()')
      await sleep(1000)
      await admin.raw('ALTER SYSTEM RESET default_transaction_read_only')
    }
    await server.kill()
    const port = await anyPort()
    await server.start(port)
    proxy.turnTo(port)
    near.turnTo(port)
  },
  'ends with the server, which is killed and started again': async ({ server }) => {
    await server.kill()
    await sleep(200)
    await server.start()
  },
}

for (const kind of ['postgresql', 'mariadb'] as const) {
  const describeHere = serviceUrl(kind) === undefined ? describe.skip : describe

  describeHere(`a worker whose connection to ${kind}`, () => {
    let line: Line

    beforeAll(async () => {
      line = await Line.open(kind)
      await line.work()
    })

    afterAll(async () => {
      await line?.[Symbol.asyncDispose]()
    })

    it('loses the answer to a claim beside a long task gives back what it never received, within one lease', async () => {
      const lease = 15
      await using line = await Line.open(kind, lease)
      await line.work()
      const { client, runs, proxy } = line
      const long = await client.wait.delay(runs.path, 'long', 60_000)
      while (runs.of('long').length === 0) await sleep(20)

      const swallowed = proxy.swallow('fault.note')
      const sent = await Promise.all(
        Array.from({ length: 10 }, (_, n) => client.note.delay(runs.path, `claimed-${n}`)),
      )
      await swallowed
      await Promise.all(sent.map((result) => result.get(lease)))

      expect(await long.ready()).toBe(false)
    })

    it.each(Object.entries(faults))(
      '%s goes on within ten seconds and loses nothing',
      async (_what, strike) => {
        const { client, runs } = line
        for (let round = 1; round <= rounds; round += 1) {
          const sent = await Promise.all(
            Array.from({ length: 20 }, (_, n) => client.wait.delay(runs.path, `task-${n}`, 20 * n)),
          )
          await strike(line)

          expect(await line.answers()).toBeLessThan(RESUMES_MS)
          const pids = await Promise.all(sent.map((result) => result.get(60)))
          expect(pids).toEqual(sent.map(() => process.pid))
        }
        // The first may be met by a poll, after which the next one is far.
        await line.answers()
        const quickMs = Math.min(await line.answers(), await line.answers())
        expect(quickMs).toBeLessThan(TOLD_MS)
      },
    )
  })
}
