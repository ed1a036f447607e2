import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { Knex } from 'knex'
import { serviceUrl } from './service-url.js'

/** Servers that Lovage's tables can stand on. */
export type SqlServer = 'postgresql' | 'mariadb'

/** A schema or database of its own on a test server. */
export interface SqlPlace extends AsyncDisposable {
  /** URL of the place, for a broker or a backend. */
  readonly url: string
  /** A knex of the application's own, in the place; destroyed with it. */
  readonly knex: Knex
  /** Drop the place with everything in it. */
  remove(): Promise<void>
}

const require = createRequire(import.meta.url)

function openKnex(server: SqlServer, connection: Readonly<Record<string, unknown>>): Knex {
  const knex: (config: Knex.Config) => Knex = require('knex')
  return knex({ client: server === 'postgresql' ? 'pg' : 'mysql2', connection, pool: { min: 0, max: 4 } })
}

/**
 * Make an empty place; `undefined` when the server is not there, and the test is to be skipped.
 *
 * @param service - Another service that speaks as this server does.
 */
export async function sqlPlace(server: SqlServer, service: string = server): Promise<SqlPlace | undefined> {
  const text = serviceUrl(service)
  if (text === undefined) return undefined
  const url = new URL(text)
  const name = `test_${randomBytes(6).toString('hex')}`
  const { hostname: host, port, username: user, password, pathname } = url
  const login = { host, port: Number(port), user, password }
  const admin = openKnex(server, { ...login, database: pathname.slice(1) })
  await admin.raw(server === 'postgresql' ? `CREATE SCHEMA ${name}` : `CREATE DATABASE ${name}`)
  const knex =
    server === 'postgresql'
      ? openKnex(server, { ...login, database: pathname.slice(1), options: `-c search_path=${name}` })
      : openKnex(server, { ...login, database: name })
  if (server === 'postgresql') url.searchParams.set('schema', name)
  else url.pathname = `/${name}`
  const remove = async (): Promise<void> => {
    await knex.destroy()
    await admin.raw(server === 'postgresql' ? `DROP SCHEMA ${name} CASCADE` : `DROP DATABASE ${name}`)
    await admin.destroy()
  }
  return { url: url.href, knex, remove, [Symbol.asyncDispose]: remove }
}
