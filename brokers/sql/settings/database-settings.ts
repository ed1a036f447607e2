import { randomUUID } from 'node:crypto'
import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { storeIdOf } from '../../../src/broker/store-id.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { knexSettings } from './knex-settings.js'
import type { KnexSettings } from './knex-settings.js'
import { serverSettings } from './server-settings.js'
import type { ServerSettings } from './server-settings.js'
import type { ServerKind } from './options.js'
import { sqliteSettings } from './sqlite-settings.js'
import type { SqliteSettings } from './sqlite-settings.js'

/** Which database to work on, and how. */
export type DatabaseSettings = SqliteSettings | ServerSettings | KnexSettings

/** What the driver's name is for users: in logs, errors and the capability table. */
export function driverName(settings: DatabaseSettings): string {
  if (settings.kind === 'knex') return settings.database
  return settings.layout === 'kombu' ? `sqla+${settings.kind}` : settings.kind
}

/** Which database it is, for every account that connects to it. */
export function databaseOf(settings: DatabaseSettings): string {
  return settings.kind === 'knex' ? settings.database : settings.kind
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
export function parseSettings(
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): DatabaseSettings {
  // `lovage migrate` and drivers beside the registry hand over the URL with SQLAlchemy's driver in it.
  const database = /^(?:(?:db|sqla)\+)?(\w+)(?:\+\w+)?$/.exec(url.scheme)?.[1] ?? ''
  if (database === 'sqlite') {
    if (transportOptions?.['resultTables'] !== undefined)
      throw new ConfigError('a SQLite file takes no databaseTableNames and no databaseTableSchemas')
    return sqliteSettings(url, transportOptions)
  }
  const server = SERVERS.get(database)
  if (server === undefined) throw new ConfigError(`${url.scheme}:// names no SQL database that is known`)
  return serverSettings(server, url, transportOptions)
}

/** The database of a URL, or of the object that the application gave in its place. */
export function settingsOf(url: ConnectionUrl, options: SettingsOptions): DatabaseSettings {
  const { target, transportOptions } = options
  return target === undefined ? parseSettings(url, transportOptions) : knexSettings(target, transportOptions)
}

/** What of a driver's options decides on the settings. */
export interface SettingsOptions {
  readonly target?: object
  readonly transportOptions?: Readonly<Record<string, unknown>>
}

const knexes = new WeakMap<object, string>()

/** Names the database: one open store serves all settings with the same id. */
export function sqlStoreId(settings: DatabaseSettings): string {
  const { kind, names } = settings
  if (kind === 'sqlite') {
    return storeIdOf(kind, settings.path, String(settings.engine), names.message, names.kombuMessage)
  }
  if (kind !== 'knex') return storeIdOf(kind, settings.key)
  const knex = knexes.get(settings.knex) ?? randomUUID()
  knexes.set(settings.knex, knex)
  return storeIdOf(kind, knex, names.message, names.taskmeta, names.tasksetmeta)
}
