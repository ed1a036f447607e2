import type { SharedTables } from '../dialect/dialect.js'
import { hasSequences, mysqlSchema, tableSuffix } from '../dialect/mysql-schema.js'
import { schemaOf } from '../dialect/postgresql-schema.js'
import type { SqlSession } from '../sql-session.js'
import { bareName, quoted, withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'

/** What one database has of its own in kombu's tables; all else is built by knex. */
export interface KombuFlavour extends SharedTables {
  /** The condition of a message that waits, as the index of those has it. */
  readonly visible: string
  /** Whether a claim can pass by what others claim at this moment; where not, a write transaction is alone. */
  readonly skipsLocked: boolean
  /**
   * The expression of the next id of a sequence, given its name; `undefined` where rows get their ids by themselves.
   * SQLAlchemy gives the columns no default where there are sequences, and a table that Celery uses all the time is not
   * altered for it: that would wait for every open transaction, and all of Celery behind it.
   */
  nextId(session: SqlSession): Promise<((sequence: string) => string) | undefined>
}

const SEQUENCES: readonly string[] = [
  'CREATE SEQUENCE IF NOT EXISTS {kombuQueueIds}',
  'CREATE SEQUENCE IF NOT EXISTS {kombuMessageIds}',
]

/**
 * kombu's tables as SQLAlchemy makes them, and an index for claims, by which it is known that all is there; kombu's own lead past
 * every message that was ever taken. Every statement can be run on tables that are there.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/models.py`.
 */
const TABLES = {
  postgresql: [
    ...SEQUENCES,
    'CREATE TABLE IF NOT EXISTS {kombuQueue} (id integer PRIMARY KEY, name varchar(200) UNIQUE)',
    `CREATE TABLE IF NOT EXISTS {kombuMessage} (id bigint PRIMARY KEY, visible boolean,
      timestamp timestamp without time zone, payload text NOT NULL, version smallint NOT NULL, queue_id integer,
      CONSTRAINT "FK_kombu_message_queue" FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id))`,
  ],
  sqlite: [
    `CREATE TABLE IF NOT EXISTS {kombuQueue} (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(200),
      UNIQUE (name))`,
    `CREATE TABLE IF NOT EXISTS {kombuMessage} (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, visible BOOLEAN,
      timestamp DATETIME, payload TEXT NOT NULL, version SMALLINT NOT NULL, queue_id INTEGER,
      CONSTRAINT "FK_kombu_message_queue" FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id))`,
  ],
} as const

/** As above, but for the payload, which as SQLAlchemy makes it ends at 64 KiB. */
function mysqlTables(names: TableNames, sequences: boolean): readonly string[] {
  const id = `id INTEGER NOT NULL PRIMARY KEY${sequences ? '' : ' AUTO_INCREMENT'}`
  const table = bareName(names.kombuMessage)
  return [
    ...(sequences ? SEQUENCES : []),
    `CREATE TABLE IF NOT EXISTS {kombuQueue} (${id}, name VARCHAR(200) UNIQUE) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {kombuMessage} (${id}, visible BOOL, timestamp DATETIME,
      payload LONGTEXT NOT NULL, version SMALLINT NOT NULL, queue_id INTEGER,
      KEY ix_${table}_visible (visible), KEY ix_${table}_timestamp (timestamp),
      KEY ix_kombu_message_timestamp_id (timestamp, id),
      KEY ${claimIndex(names)} (queue_id, visible, timestamp, id),
      CONSTRAINT \`FK_kombu_message_queue\` FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id)) ${tableSuffix}`,
  ]
}

function indexes(names: TableNames, visible: string): readonly string[] {
  const table = bareName(names.kombuMessage)
  return [
    `CREATE INDEX IF NOT EXISTS "ix_${table}_visible" ON {kombuMessage} (visible)`,
    `CREATE INDEX IF NOT EXISTS "ix_${table}_timestamp" ON {kombuMessage} (timestamp)`,
    'CREATE INDEX IF NOT EXISTS "ix_kombu_message_timestamp_id" ON {kombuMessage} (timestamp, id)',
    `CREATE INDEX IF NOT EXISTS "${claimIndex(names)}" ON {kombuMessage} (queue_id, timestamp, id) WHERE ${visible}`,
  ]
}

function claimIndex({ kombuMessage }: TableNames): string {
  return `${bareName(kombuMessage)}_lovage`
}

/** Shared tables that are made by templates. */
function sharedTables(
  quote: string,
  areCurrent: SharedTables['areCurrent'],
  templates: (session: SqlSession, names: TableNames) => Promise<readonly string[]>,
): SharedTables {
  return {
    areCurrent,
    async migrations(session, names) {
      if (await areCurrent(session, names)) return []
      const statements = (await templates(session, names)).map((text) => withNames(text, names, quote))
      return [{ name: "kombu's tables", statements }]
    },
  }
}

const BOTH_IN_POSTGRESQL = `SELECT count(*) = 2 AND bool_or(EXISTS (
    SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = attrelid AND relname = $1))
  FROM pg_attribute WHERE attname = 'id' AND attrelid IN (to_regclass('{kombuQueue}'), to_regclass('{kombuMessage}'))`
const INDEX_IN_SQLITE = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"

const postgresql: KombuFlavour = {
  visible: 'visible',
  skipsLocked: true,
  nextId: async () => Promise.resolve((sequence: string) => `nextval('${quoted(sequence, '"')}')`),
  ...sharedTables(
    '"',
    async (session, names) => (await session.all(BOTH_IN_POSTGRESQL, [claimIndex(names)]))[0]?.[0] === 1,
    async (_session, names) =>
      Promise.resolve([...schemaOf(names), ...TABLES.postgresql, ...indexes(names, 'visible')]),
  ),
}

const mysql: KombuFlavour = {
  visible: 'visible = 1',
  skipsLocked: true,
  nextId: async (session) =>
    (await hasSequences(session)) ? (sequence) => `nextval(${quoted(sequence, '`')})` : undefined,
  ...sharedTables(
    '`',
    async (session, { kombuQueue, kombuMessage }) =>
      (await mysqlSchema.hasTable(session, kombuQueue)) &&
      (await mysqlSchema.hasTable(session, kombuMessage)),
    async (session, names) => mysqlTables(names, await hasSequences(session)),
  ),
}

const sqlite: KombuFlavour = {
  visible: 'visible = 1',
  skipsLocked: false,
  nextId: async () => Promise.resolve(undefined),
  ...sharedTables(
    '"',
    async (session, names) => (await session.all(INDEX_IN_SQLITE, [claimIndex(names)])).length > 0,
    async (_session, names) => Promise.resolve([...TABLES.sqlite, ...indexes(names, 'visible = 1')]),
  ),
}

/** By the names of dialects. */
export const KOMBU_FLAVOURS: ReadonlyMap<string, KombuFlavour> = new Map([
  ['postgresql', postgresql],
  ['mysql', mysql],
  ['sqlite', sqlite],
])
