import { schemaOf } from '../dialect/postgresql-schema.js'
import type { Migration } from '../dialect/dialect.js'
import type { SqlSession } from '../sql-session.js'
import { quoted, withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { claimIndex } from './flavour.js'
import type { KombuFlavour } from './flavour.js'

const QUOTE = '"'

const IS_CURRENT = `SELECT count(*) = 2 AND bool_or(EXISTS (
    SELECT 1 FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = attrelid AND relname = $1))
  FROM pg_attribute WHERE attname = 'id' AND attrelid IN (to_regclass('{kombuQueue}'), to_regclass('{kombuMessage}'))`

/**
 * kombu's tables as SQLAlchemy makes them, and an index for claims. Every statement can be run on tables that are there.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/models.py`.
 */
const TABLES: readonly string[] = [
  'CREATE SEQUENCE IF NOT EXISTS {kombuQueueIds}',
  'CREATE SEQUENCE IF NOT EXISTS {kombuMessageIds}',
  'CREATE TABLE IF NOT EXISTS {kombuQueue} (id integer PRIMARY KEY, name varchar(200) UNIQUE)',
  `CREATE TABLE IF NOT EXISTS {kombuMessage} (id bigint PRIMARY KEY, visible boolean,
    timestamp timestamp without time zone, payload text NOT NULL, version smallint NOT NULL, queue_id integer,
    CONSTRAINT "FK_kombu_message_queue" FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id))`,
]

/** kombu's tables on PostgreSQL. */
export const postgresqlFlavour: KombuFlavour = {
  visible: 'visible',
  skipsLocked: true,
  nextId: async () => Promise.resolve((sequence: string) => `nextval('${quoted(sequence, QUOTE)}')`),
  async areCurrent(session: SqlSession, names: TableNames): Promise<boolean> {
    const [row] = await session.all(IS_CURRENT, [claimIndex(names)])
    return row?.[0] === 1
  },
  async schema(session: SqlSession, names: TableNames): Promise<readonly Migration[]> {
    if (await this.areCurrent(session, names)) return []
    const statements = [...TABLES, ...indexes(names)].map((text) => withNames(text, names, QUOTE))
    return [{ name: "kombu's tables", statements: [...schemaOf(names), ...statements] }]
  },
}

function indexes(names: TableNames): readonly string[] {
  const table = names.kombuMessage.slice(names.kombuMessage.lastIndexOf('.') + 1)
  return [
    `CREATE INDEX IF NOT EXISTS "ix_${table}_visible" ON {kombuMessage} (visible)`,
    `CREATE INDEX IF NOT EXISTS "ix_${table}_timestamp" ON {kombuMessage} (timestamp)`,
    'CREATE INDEX IF NOT EXISTS "ix_kombu_message_timestamp_id" ON {kombuMessage} (timestamp, id)',
    `CREATE INDEX IF NOT EXISTS "${claimIndex(names)}" ON {kombuMessage} (queue_id, timestamp, id) WHERE visible`,
  ]
}
