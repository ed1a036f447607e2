import { SqlFailure } from '../failure.js'
import type { SqlSession } from '../sql-session.js'
import { bareName, quoted } from '../table-names.js'
import type { SchemaDialect } from './dialect.js'
import { schemaDialect } from './schema.js'

const QUOTE = '`'

const ID = 'id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY'
const NAME = 'VARCHAR(255)'
// Names are compared byte by byte, as everywhere else.
/** What stands behind the columns of every table. */
export const tableSuffix = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'

const LOCK = "concat('lovage ', DATABASE())"
const LOCK_WAIT_S = 25

// The schema is a database here: the connection's own where the name has none.
const COLUMNS = `SELECT column_name, column_default IS NOT NULL OR extra LIKE '%auto_increment%'
  FROM information_schema.columns WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?`

/** The schema on MySQL. Every statement can be run again: here a change of the schema is no part of a transaction. */
export const mysqlSchema: SchemaDialect = {
  ...schemaDialect({
    quote: QUOTE,
    types: { bytes: 'LONGBLOB', date: 'DATETIME(6)', text: 'LONGTEXT', moment: 'BIGINT' },

    brokerTables: () => ({
      '001-queue': [...queueTables(), ...routeTables()],
      '002-broadcast': [
        `CREATE TABLE IF NOT EXISTS {broadcast} (${ID}, sent_ms BIGINT NOT NULL, meta LONGTEXT NOT NULL,
          body LONGBLOB NOT NULL) ${tableSuffix}`,
      ],
      '003-beat': beatTables(),
    }),

    columnsOf: (session, table) => {
      const database = table.includes('.') ? table.slice(0, table.indexOf('.')) : null
      return session.all(COLUMNS, [database, bareName(table)])
    },
    hasSequences,

    created: ({ name, sequence, key, columns }, _names, sequences) => {
      const ids = quoted(sequence, QUOTE)
      const defined = Object.entries(columns).map(([column, type]) => `${column} ${type}`)
      const id = sequences ? `id BIGINT NOT NULL PRIMARY KEY DEFAULT nextval(${ids})` : ID
      return [
        ...(sequences ? [`CREATE SEQUENCE IF NOT EXISTS ${ids}`] : []),
        `CREATE TABLE IF NOT EXISTS ${quoted(name, QUOTE)} (${id}, ${key} VARCHAR(155) UNIQUE, ${defined.join(', ')},
      KEY ix_${bareName(name)}_date_done (date_done), ${expiryKey(name)}) ${tableSuffix}`,
      ]
    },

    extended: ({ name, sequence, columns }, { columns: missing, ids: lacksIds }) => {
      const table = quoted(name, QUOTE)
      const ids = quoted(sequence, QUOTE)
      return [
        ...missing.map((column) => `ALTER TABLE ${table} ADD COLUMN ${column} ${columns[column] ?? ''}`),
        ...(lacksIds
          ? [
              `CREATE SEQUENCE IF NOT EXISTS ${ids}`,
              `ALTER TABLE ${table} ALTER COLUMN id SET DEFAULT nextval(${ids})`,
            ]
          : []),
        ...(missing.includes('lovage_expires_ms') ? [`ALTER TABLE ${table} ADD ${expiryKey(name)}`] : []),
      ]
    },
  }),

  /** A lock of the connection, which outlives the commits that each change of the schema makes. */
  async lock(session): Promise<void> {
    const [row] = await session.all(`SELECT get_lock(${LOCK}, ?)`, [LOCK_WAIT_S])
    if (row?.[0] === 1) return
    throw new SqlFailure('unavailable', 'another process changes the schema and does not come to an end')
  },

  async unlock(session): Promise<void> {
    await session.all(`SELECT release_lock(${LOCK})`)
  },
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

/** Whether there are sequences, which Celery and kombu then take ids from: only on MariaDB. */
export async function hasSequences(session: SqlSession): Promise<boolean> {
  const [row] = await session.all('SELECT VERSION()')
  return /mariadb/i.test(String(row?.[0]))
}

function expiryKey(name: string): string {
  return `KEY ix_${bareName(name)}_lovage_expires_ms (lovage_expires_ms)`
}
