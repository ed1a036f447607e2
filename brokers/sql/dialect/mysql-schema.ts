import type { Knex } from 'knex'
import { SqlFailure } from '../failure.js'
import type { SqlSession } from '../sql-session.js'
import { bareName, quoted, withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { celeryTables, tableState } from './celery-tables.js'
import type { CeleryTable, TableState } from './celery-tables.js'
import type { Migration } from './dialect.js'

/** In order; what was released stays as it is. See `SqlDialect.brokerMigrations`. */
export const brokerMigrations: readonly string[] = ['001-queue', '002-broadcast', '003-beat']

const QUOTE = '`'
const TYPES = { bytes: 'LONGBLOB', date: 'DATETIME(6)', text: 'LONGTEXT' }

const ID = 'id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY'
const NAME = 'VARCHAR(255)'
// Names are compared byte by byte, as everywhere else.
/** What stands behind the columns of every table. */
export const tableSuffix = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

const LOCK = "concat('lovage ', DATABASE())"
const LOCK_WAIT_S = 25

// The schema is a database here: the connection's own where the name has none.
const OF_TABLE = 'table_schema = coalesce(?, DATABASE()) AND table_name = ?'
const COLUMNS = `SELECT column_name, column_default IS NOT NULL OR extra LIKE '%auto_increment%'
  FROM information_schema.columns WHERE ${OF_TABLE}`

/** Every statement can be run again: here a change of the schema is no part of a transaction. See `SqlDialect.brokerSchema`. */
export function brokerSchema(_knex: Knex, names: TableNames): readonly Migration[] {
  const filled = (templates: readonly string[]): readonly string[] =>
    templates.map((template) => withNames(template, names, QUOTE))
  return [
    { name: '001-queue', statements: filled([...queueTables(), ...routeTables()]) },
    {
      name: '002-broadcast',
      statements: filled([
        `CREATE TABLE IF NOT EXISTS {broadcast} (${ID}, sent_ms BIGINT NOT NULL, meta LONGTEXT NOT NULL,
          body LONGBLOB NOT NULL) ${tableSuffix}`,
      ]),
    },
    { name: '003-beat', statements: filled(beatTables()) },
  ]
}

function queueTables(): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS {migration} (name ${NAME} PRIMARY KEY,
      applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) ${tableSuffix}`,
    // What is claimed or not due has no `ready`, and so stands apart in the index of what can be claimed.
    `CREATE TABLE IF NOT EXISTS {message} (${ID},
      queue ${NAME} NOT NULL, ready TINYINT, \`rank\` INT NOT NULL, due_ms BIGINT, holder BIGINT, claim BIGINT,
      deliveries INT NOT NULL DEFAULT 0, unspent INT NOT NULL DEFAULT 0, due TINYINT NOT NULL DEFAULT 0,
      meta LONGTEXT NOT NULL, body LONGBLOB NOT NULL,
      KEY ready (queue, ready, \`rank\`), KEY due (due_ms), KEY holder (holder)) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {holder} (${ID}, lease_until_ms BIGINT NOT NULL, owner TEXT NOT NULL) ${tableSuffix}`,
  ]
}

function beatTables(): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS {beat} (one TINYINT PRIMARY KEY, candidate ${NAME} NOT NULL,
      lease_until_ms BIGINT NOT NULL, revision BIGINT NOT NULL) ${tableSuffix}`,
    "INSERT IGNORE INTO {beat} (one, candidate, lease_until_ms, revision) VALUES (1, '', 0, 0)",
    `CREATE TABLE IF NOT EXISTS {beatEntry} (name ${NAME} PRIMARY KEY, data LONGTEXT NOT NULL, last_ms BIGINT) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {beatOccurrence} (id VARCHAR(64) PRIMARY KEY, entry ${NAME} NOT NULL,
      scheduled_ms BIGINT NOT NULL, KEY entry (entry, scheduled_ms)) ${tableSuffix}`,
  ]
}

function routeTables(): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS {queue} (name ${NAME} PRIMARY KEY, lifetime ${NAME} NOT NULL, expires_ms BIGINT,
      used_at_ms BIGINT) ${tableSuffix}`,
    // A key over the columns themselves would be too long.
    `CREATE TABLE IF NOT EXISTS {binding} (${ID}, queue ${NAME} NOT NULL, exchange ${NAME} NOT NULL,
      type VARCHAR(20) NOT NULL, routing_key ${NAME} NOT NULL, arguments TEXT NOT NULL,
      digest CHAR(64) CHARACTER SET ascii GENERATED ALWAYS AS
        (sha2(concat_ws(0x00, queue, exchange, type, routing_key, arguments), 256)) STORED UNIQUE) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {topology} (one TINYINT PRIMARY KEY, version BIGINT NOT NULL) ${tableSuffix}`,
    'INSERT IGNORE INTO {topology} (one, version) VALUES (1, 0)',
  ]
}

/** Compares the columns there are with those wanted. See `SqlDialect.resultsAreCurrent`. */
export async function resultsAreCurrent(session: SqlSession, names: TableNames): Promise<boolean> {
  for (const table of celeryTables(names, TYPES)) {
    const state = await stateOf(session, table)
    if (!state.exists || state.missing.length > 0 || !state.makesIds) return false
  }
  return true
}

/** Creates, or adds what is missing. See `SqlDialect.resultSchema`. */
export async function resultSchema(
  session: SqlSession,
  _knex: Knex,
  names: TableNames,
): Promise<readonly Migration[]> {
  const sequences = await hasSequences(session)
  const steps: Migration[] = []
  for (const table of celeryTables(names, TYPES)) {
    const { exists, missing, makesIds } = await stateOf(session, table)
    const name = bareName(table.name)
    if (!exists) steps.push({ name: `create ${name}`, statements: created(table, sequences) })
    else if (missing.length > 0 || !makesIds) {
      const what = missing.length > 0 ? missing.join(', ') : 'default of id'
      steps.push({ name: `extend ${name}: ${what}`, statements: extended(table, missing, makesIds) })
    }
  }
  return steps
}

/** Whether there are sequences, which Celery and kombu then take ids from: on MariaDB alone. */
export async function hasSequences(session: SqlSession): Promise<boolean> {
  const [row] = await session.all('SELECT VERSION()')
  return /mariadb/i.test(String(row?.[0]))
}

async function stateOf(session: SqlSession, table: CeleryTable): Promise<TableState> {
  const rows = await session.all(COLUMNS, placeOf(table.name))
  return tableState(
    table,
    rows.map(([column, hasDefault]) => ({ column: String(column), hasDefault: hasDefault === 1 })),
  )
}

function placeOf(name: string): readonly [string | null, string] {
  return [name.includes('.') ? name.slice(0, name.indexOf('.')) : null, bareName(name)]
}

function created(table: CeleryTable, sequences: boolean): readonly string[] {
  const { name, sequence, key, columns } = table
  const ids = quoted(sequence, QUOTE)
  const defined = Object.entries(columns).map(([column, type]) => `${column} ${type}`)
  const id = sequences ? `id BIGINT NOT NULL PRIMARY KEY DEFAULT nextval(${ids})` : ID
  return [
    ...(sequences ? [`CREATE SEQUENCE IF NOT EXISTS ${ids}`] : []),
    `CREATE TABLE IF NOT EXISTS ${quoted(name, QUOTE)} (${id}, ${key} VARCHAR(155) UNIQUE, ${defined.join(', ')},
      KEY ix_${bareName(name)}_date_done (date_done), ${expiryKey(name)}) ${tableSuffix}`,
  ]
}

function extended(
  { name, sequence, columns }: CeleryTable,
  missing: readonly string[],
  makesIds: boolean,
): readonly string[] {
  const table = quoted(name, QUOTE)
  const ids = quoted(sequence, QUOTE)
  return [
    ...missing.map((column) => `ALTER TABLE ${table} ADD COLUMN ${column} ${columns[column] ?? ''}`),
    ...(makesIds
      ? []
      : [
          `CREATE SEQUENCE IF NOT EXISTS ${ids}`,
          `ALTER TABLE ${table} ALTER COLUMN id SET DEFAULT nextval(${ids})`,
        ]),
    ...(missing.includes('lovage_expires_ms') ? [`ALTER TABLE ${table} ADD ${expiryKey(name)}`] : []),
  ]
}

function expiryKey(name: string): string {
  return `KEY ix_${bareName(name)}_lovage_expires_ms (lovage_expires_ms)`
}

/** See `SqlDialect.hasTable`. */
export async function hasTable(session: SqlSession, table: string): Promise<boolean> {
  const sql = `SELECT 1 FROM information_schema.tables WHERE ${OF_TABLE}`
  return (await session.all(sql, placeOf(table))).length > 0
}

/** A lock of the connection, which outlives the commits that each change of the schema makes. See `SqlDialect.lockSchema`. */
export async function lockSchema(session: SqlSession): Promise<void> {
  const [row] = await session.all(`SELECT get_lock(${LOCK}, ?)`, [LOCK_WAIT_S])
  if (row?.[0] === 1) return
  throw new SqlFailure(
    'unavailable',
    'another process changes the schema and does not come to an end',
    undefined,
  )
}

/** See `SqlDialect.unlockSchema`. */
export async function unlockSchema(session: SqlSession): Promise<void> {
  await session.all(`SELECT release_lock(${LOCK})`)
}
