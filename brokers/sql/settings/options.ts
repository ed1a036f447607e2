import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { toMs } from '../../../src/util/duration.js'
import { refuseUnknown, type KnownMembers } from '../../../src/util/known-members.js'
import { shownOption } from '../../../src/util/mask-members.js'
import { isRecord } from '../../../src/util/record.js'
import { DEFAULT_PLACE, KOMBU_NAMES } from '../table-names.js'
import type { TableLocation, ResultTable, ResultTables } from '../table-names.js'

/** Servers that have a dialect of their own; MariaDB is spoken to as MySQL. */
export type ServerKind = 'postgresql' | 'mysql'

/** Whose tables the queue is in: Lovage's, or those that kombu's SQLAlchemy transport shares. */
export type QueueLayout = 'lovage' | 'kombu'

/** Options that only {@link placeOf} reads. */
export const PLACE_OPTIONS: readonly string[] = ['queue_tablename', 'message_tablename', 'resultTables']

/** kombu's options for its SQL transport, and others that a shared configuration may carry. */
export const IGNORED_OPTIONS: readonly string[] = [
  'visibility_timeout',
  'polling_interval',
  'echo',
  'max_retries',
  'interval_start',
  'interval_step',
  'interval_max',
]

const RESULT_TABLES = { task: true, group: true } satisfies KnownMembers<ResultTables>

/** The layout that a URL asks for: kombu's by `sqla+`, as in Celery. */
export function layoutOf({ scheme }: ConnectionUrl): QueueLayout {
  return scheme.startsWith('sqla+') ? 'kombu' : 'lovage'
}

/**
 * Where the tables of a layout stand.
 *
 * What Lovage keeps beside kombu's tables has names of its own: a worker on Lovage's tables in the same database must not
 * take what belongs to the other queue.
 */
export function placeOf(options: ReadonlyMap<string, unknown>, layout: QueueLayout): TableLocation {
  const prefix = textOption(options, 'tablePrefix') ?? DEFAULT_PLACE.prefix
  return {
    schema: textOption(options, 'schema'),
    prefix: layout === 'kombu' ? `${prefix}kombu_` : prefix,
    kombu: {
      queue: textOption(options, 'queue_tablename') ?? KOMBU_NAMES.queue,
      message: textOption(options, 'message_tablename') ?? KOMBU_NAMES.message,
    },
    results: resultTablesOf(options),
  }
}

/**
 * What the core hands over of `databaseTableNames` and `databaseTableSchemas`.
 *
 * @throws {@link ConfigError} for no text, and for a table that there is none of.
 */
export function resultTablesOf(options: ReadonlyMap<string, unknown>): ResultTables {
  const given = options.get('resultTables')
  const { names, schemas } = isRecord(given) ? given : {}
  if (isRecord(names)) refuseUnknown(names, RESULT_TABLES, 'databaseTableNames')
  if (isRecord(schemas)) refuseUnknown(schemas, RESULT_TABLES, 'databaseTableSchemas')
  const table = (key: string): ResultTable => ({
    ...named('name', 'databaseTableNames', fieldOf(names, key)),
    ...named('schema', 'databaseTableSchemas', fieldOf(schemas, key)),
  })
  return { task: table('task'), group: table('group') }
}

function fieldOf(dict: unknown, key: string): unknown {
  return isRecord(dict) ? dict[key] : undefined
}

function named(key: 'name' | 'schema', setting: string, value: unknown): ResultTable {
  if (value === undefined || value === null) return {}
  if (typeof value === 'string') return { [key]: value }
  throw new ConfigError(`expected ${setting} to hold texts, got: ${shownOption(setting, value)}`)
}

/** An option in seconds, from a URL or an object, in milliseconds. @throws {@link ConfigError} for no number. */
export function durationOption(
  options: ReadonlyMap<string, unknown>,
  name: string,
  fallbackMs: number,
): number {
  const value = options.get(name)
  if (value === undefined) return fallbackMs
  const seconds = typeof value === 'string' ? Number(value) : value
  if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0) return toMs(seconds, name)
  throw new ConfigError(`expected option "${name}" to be a number of seconds, got: ${JSON.stringify(value)}`)
}

/** An option that counts, from a URL or an object. @throws {@link ConfigError} for anything below 1. */
export function countOption(options: ReadonlyMap<string, unknown>, name: string, fallback: number): number {
  const value = options.get(name)
  if (value === undefined) return fallback
  const count = typeof value === 'string' ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count > 0) return count
  throw new ConfigError(
    `expected option "${name}" to be a whole number above 0, got: ${JSON.stringify(value)}`,
  )
}

/** An option of text. @throws {@link ConfigError} for anything else. */
export function textOption(options: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = options.get(name)
  if (value === undefined || typeof value === 'string') return value
  throw new ConfigError(`expected option "${name}" to be a text, got: ${shownOption(name, value)}`)
}
