import { createRequire } from 'node:module'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { rm } from 'node:fs/promises'
import type { Knex } from 'knex'
import { serviceUrl } from '../../support/service-url.js'
import type { SqlServer } from '../../support/sql-place.js'
import { randomName, type InteropPlace } from './stage.js'

const require = createRequire(import.meta.url)

/** A database that both languages are pointed at by one URL, and how to remove it. */
export interface SqlInteropPlace {
  /** Its tables: kombu's and Celery's. */
  readonly place: InteropPlace
  /** Without `sqla+` or `db+`. */
  readonly url: string
  readonly knex: Knex
  readonly remove: () => Promise<void>
}

const PYTHON_DRIVERS = { postgresql: 'psycopg2', mariadb: 'pymysql' } as const

/** kombu's and Celery's tables in a database of their own; `undefined` when the server is not there. */
export async function sqlInteropPlace(server: SqlServer | 'sqlite'): Promise<SqlInteropPlace | undefined> {
  return server === 'sqlite' ? sqliteFile() : serverDatabase(server)
}

async function serverDatabase(server: SqlServer): Promise<SqlInteropPlace | undefined> {
  const text = serviceUrl(server)
  if (text === undefined) return undefined
  const url = new URL(text)
  const name = `interop_${randomName('db').replace('-', '_')}`
  const admin = openKnex(server, url, url.pathname.slice(1))
  await admin.raw(`CREATE DATABASE ${name}`)
  url.pathname = `/${name}`
  const knex = openKnex(server, url, name)
  const remove = async (): Promise<void> => {
    await knex.destroy()
    await admin.raw(`DROP DATABASE ${name}${server === 'postgresql' ? ' WITH (FORCE)' : ''}`)
    await admin.destroy()
  }
  const { protocol } = url
  const withDriver = url.href.replace(protocol, `${protocol.replace(':', '')}+${PYTHON_DRIVERS[server]}:`)
  return { place: placeAt(withDriver), url: url.href, knex, remove }
}

async function sqliteFile(): Promise<SqlInteropPlace> {
  const path = join(tmpdir(), `${randomName('lovage-interop')}.db`)
  const knex: (config: Knex.Config) => Knex = require('knex')
  const Client: typeof Knex.Client = require('knex/lib/dialects/better-sqlite3')
  // libsql has the interface of better-sqlite3, and needs no compiler.
  class LibsqlClient extends Client {
    _driver(): unknown {
      return require('libsql')
    }
  }
  const opened = knex({ client: LibsqlClient, connection: { filename: path }, useNullAsDefault: true })
  const remove = async (): Promise<void> => {
    await opened.destroy()
    await Promise.all(['', '-wal', '-shm'].map((end) => rm(`${path}${end}`, { force: true })))
  }
  const url = `sqlite:///${path}`
  return Promise.resolve({ place: placeAt(url), url, knex: opened, remove })
}

function placeAt(url: string): InteropPlace {
  const conf = { result_extended: true }
  return { broker: `sqla+${url}`, backend: `db+${url}`, brokerOptions: {}, backendOptions: {}, conf }
}

function openKnex(server: SqlServer, url: URL, database: string): Knex {
  const knex: (config: Knex.Config) => Knex = require('knex')
  const { hostname: host, port, username: user, password } = url
  return knex({
    client: server === 'postgresql' ? 'pg' : 'mysql2',
    connection: { host, port: Number(port), user, password, database },
    pool: { min: 0, max: 2 },
  })
}
