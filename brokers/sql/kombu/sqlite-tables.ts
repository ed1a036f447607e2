import type { Migration } from '../dialect/dialect.js'
import type { SqlSession } from '../sql-session.js'
import { withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { claimIndex } from './flavour.js'
import type { KombuFlavour } from './flavour.js'

const VISIBLE = 'visible = 1'
const HAS_INDEX = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = ?"

/**
 * kombu's tables as SQLAlchemy makes them, and an index for claims, which comes last and so tells that all is there.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/models.py`.
 */
const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS {kombuQueue} (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(200),
    UNIQUE (name))`,
  `CREATE TABLE IF NOT EXISTS {kombuMessage} (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, visible BOOLEAN,
    timestamp DATETIME, payload TEXT NOT NULL, version SMALLINT NOT NULL, queue_id INTEGER,
    CONSTRAINT "FK_kombu_message_queue" FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id))`,
]

/** kombu's tables in a SQLite file. */
export const sqliteFlavour: KombuFlavour = {
  visible: VISIBLE,
  skipsLocked: false,
  nextId: async () => Promise.resolve(undefined),
  async areCurrent(session: SqlSession, names: TableNames): Promise<boolean> {
    return (await session.all(HAS_INDEX, [claimIndex(names)])).length > 0
  },
  async schema(session: SqlSession, names: TableNames): Promise<readonly Migration[]> {
    if (await this.areCurrent(session, names)) return []
    const statements = [...TABLES, ...indexes(names)].map((text) => withNames(text, names, '"'))
    return [{ name: "kombu's tables", statements }]
  },
}

function indexes(names: TableNames): readonly string[] {
  const table = names.kombuMessage
  return [
    `CREATE INDEX IF NOT EXISTS "ix_${table}_visible" ON {kombuMessage} (visible)`,
    `CREATE INDEX IF NOT EXISTS "ix_${table}_timestamp" ON {kombuMessage} (timestamp)`,
    'CREATE INDEX IF NOT EXISTS "ix_kombu_message_timestamp_id" ON {kombuMessage} (timestamp, id)',
    `CREATE INDEX IF NOT EXISTS "${claimIndex(names)}" ON {kombuMessage} (queue_id, timestamp, id) WHERE ${VISIBLE}`,
  ]
}
