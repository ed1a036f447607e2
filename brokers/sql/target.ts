import { randomUUID } from 'node:crypto'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { storeIdOf } from '../../src/broker/store-id.js'
import { ConfigError } from '../../src/errors/errors.js'
import { knexTarget } from './knex-target.js'
import type { KnexTarget } from './knex-target.js'
import { serverTarget } from './server-target.js'
import type { ServerTarget } from './server-target.js'
import type { ServerKind } from './target-options.js'
import { sqliteTarget } from './sqlite-target.js'
import type { SqliteTarget } from './sqlite-target.js'

/** A database to work on, and how. */
export type SqlTarget = SqliteTarget | ServerTarget | KnexTarget

/** What the driver's name is for users: in logs, errors and the capability table. */
export function targetName(target: SqlTarget): string {
  if (target.kind === 'knex') return target.database
  return target.layout === 'kombu' ? `sqla+${target.kind}` : target.kind
}

/** Which database it is, for every account that connects to it. */
export function databaseOf(target: SqlTarget): string {
  return target.kind === 'knex' ? target.database : target.kind
}

const SERVERS: ReadonlyMap<string, ServerKind> = new Map([
  ['postgresql', 'postgresql'],
  ['postgres', 'postgresql'],
  ['mysql', 'mysql'],
  ['mariadb', 'mysql'],
])

/**
 * The database that a URL names.
 *
 * @throws `ConfigError` for an option that is unknown or wrong.
 */
export function parseTarget(
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): SqlTarget {
  // `lovage migrate` and drivers beside the registry hand over the URL with SQLAlchemy's driver in it.
  const database = /^(?:(?:db|sqla)\+)?(\w+)(?:\+\w+)?$/.exec(url.scheme)?.[1] ?? ''
  if (database === 'sqlite') {
    if (transportOptions?.['resultTables'] !== undefined)
      throw new ConfigError('a SQLite file takes no databaseTableNames and no databaseTableSchemas')
    return sqliteTarget(url, transportOptions)
  }
  const server = SERVERS.get(database)
  if (server === undefined) throw new ConfigError(`${url.scheme}:// names no SQL database that is known`)
  return serverTarget(server, url, transportOptions)
}

/** The database of a URL, or of the object that the application gave in its place. */
export function targetOf(url: ConnectionUrl, options: TargetOptions): SqlTarget {
  const { target, transportOptions } = options
  return target === undefined ? parseTarget(url, transportOptions) : knexTarget(target, transportOptions)
}

/** What of a driver's options decides on the target. */
export interface TargetOptions {
  readonly target?: object
  readonly transportOptions?: Readonly<Record<string, unknown>>
}

const knexes = new WeakMap<object, string>()

/** Names the database: one open store serves every target with the same id. */
export function sqlStoreId(target: SqlTarget): string {
  const { kind, names } = target
  if (kind === 'sqlite') {
    return storeIdOf(kind, target.path, String(target.engine), names.message, names.kombuMessage)
  }
  if (kind !== 'knex') return storeIdOf(kind, target.key)
  const knex = knexes.get(target.knex) ?? randomUUID()
  knexes.set(target.knex, knex)
  return storeIdOf(kind, knex, names.message, names.taskmeta, names.tasksetmeta)
}
