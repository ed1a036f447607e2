import type { Knex } from 'knex'
import { booleanOption, driverOptions } from '../../../src/broker/driver-options.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { isRecord } from '../../../src/util/record.js'
import { isKnex } from '../../shared-schemes.js'
import { DEFAULT_PLACE, tableNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { durationOption, IGNORED_OPTIONS, resultTablesOf, textOption } from './options.js'
import type { QueueLayout } from './options.js'

/** The application's own knex, to work on. */
export interface KnexSettings {
  readonly kind: 'knex'
  readonly layout: QueueLayout
  readonly knex: Knex
  /** What the knex speaks to. */
  readonly database: KnexDatabase
  readonly names: TableNames
  readonly queryTimeoutMs: number
  /** As that of a server. */
  readonly keepsSession: boolean
  readonly pollMs: number
}

/** The databases that a knex may speak to. */
export type KnexDatabase = 'sqlite' | 'postgresql' | 'mysql'

const KNOWN = ['schema', 'tablePrefix', 'queryTimeout', 'pollInterval', 'pgbouncer', 'resultTables']

// By the names that knex gives to the packages.
const DATABASES: ReadonlyMap<string, KnexDatabase> = new Map([
  ['pg', 'postgresql'],
  ['mysql2', 'mysql'],
  ['better-sqlite3', 'sqlite'],
])

const DEFAULT_POLL_MS: Readonly<Record<KnexDatabase, number>> = { sqlite: 500, postgresql: 1000, mysql: 100 }

/** The settings of the application's knex. @throws {@link ConfigError} for a driver package that is not supported. */
export function knexSettings(
  knex: object,
  transportOptions?: Readonly<Record<string, unknown>>,
): KnexSettings {
  if (!isKnex(knex)) throw new ConfigError('expected a Knex instance')
  const database = databaseOf(knex)
  const options = driverOptions(parseConnectionUrl(database), transportOptions, [
    ...KNOWN,
    ...IGNORED_OPTIONS,
  ])
  const schema = textOption(options, 'schema')
  const prefix = textOption(options, 'tablePrefix')
  if (
    database === 'sqlite' &&
    (schema !== undefined || prefix !== undefined || options.has('resultTables'))
  ) {
    throw new ConfigError('a SQLite database takes no schema, no tablePrefix and no databaseTableNames')
  }
  return {
    kind: 'knex',
    layout: 'lovage',
    knex,
    database,
    names: tableNames({ schema, prefix: prefix ?? DEFAULT_PLACE.prefix, results: resultTablesOf(options) }),
    queryTimeoutMs: durationOption(options, 'queryTimeout', 5000),
    keepsSession: !booleanOption(options, 'pgbouncer', false),
    pollMs: durationOption(options, 'pollInterval', DEFAULT_POLL_MS[database]),
  }
}

function databaseOf(knex: Knex): KnexDatabase {
  const client: unknown = knex.client
  const name = isRecord(client) ? client['driverName'] : undefined
  const database = typeof name === 'string' ? DATABASES.get(name) : undefined
  if (database !== undefined) return database
  throw new ConfigError(
    `expected a Knex instance with one of the clients ${[...DATABASES.keys()].join(', ')}, got: ${JSON.stringify(name)}`,
  )
}
