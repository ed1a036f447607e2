import { hasSequences, hasTable, tableSuffix } from '../dialect/mysql-schema.js'
import type { Migration } from '../dialect/dialect.js'
import type { SqlSession } from '../sql-session.js'
import { quoted, withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { claimIndex } from './flavour.js'
import type { KombuFlavour } from './flavour.js'

const QUOTE = '`'

const SEQUENCES: readonly string[] = [
  'CREATE SEQUENCE IF NOT EXISTS {kombuQueueIds}',
  'CREATE SEQUENCE IF NOT EXISTS {kombuMessageIds}',
]

/** kombu's tables on MySQL and MariaDB. */
export const mysqlFlavour: KombuFlavour = {
  visible: 'visible = 1',
  skipsLocked: true,
  async nextId(session: SqlSession) {
    return (await hasSequences(session))
      ? (sequence: string): string => `nextval(${quoted(sequence, QUOTE)})`
      : undefined
  },
  async areCurrent(session: SqlSession, names: TableNames): Promise<boolean> {
    return (await hasTable(session, names.kombuQueue)) && (await hasTable(session, names.kombuMessage))
  },
  async schema(session: SqlSession, names: TableNames): Promise<readonly Migration[]> {
    if (await this.areCurrent(session, names)) return []
    const sequences = await hasSequences(session)
    const templates = [...(sequences ? SEQUENCES : []), ...tables(names, sequences)]
    return [{ name: "kombu's tables", statements: templates.map((text) => withNames(text, names, QUOTE)) }]
  },
}

/**
 * As SQLAlchemy makes them, but for the payload, which there ends at 64 KiB, and an index for claims.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/models.py`.
 */
function tables(names: TableNames, sequences: boolean): readonly string[] {
  const id = `id INTEGER NOT NULL PRIMARY KEY${sequences ? '' : ' AUTO_INCREMENT'}`
  const table = names.kombuMessage.slice(names.kombuMessage.lastIndexOf('.') + 1)
  return [
    `CREATE TABLE IF NOT EXISTS {kombuQueue} (${id}, name VARCHAR(200) UNIQUE) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {kombuMessage} (${id}, visible BOOL, timestamp DATETIME,
      payload LONGTEXT NOT NULL, version SMALLINT NOT NULL, queue_id INTEGER,
      KEY ix_${table}_visible (visible), KEY ix_${table}_timestamp (timestamp),
      KEY ix_kombu_message_timestamp_id (timestamp, id),
      KEY ${claimIndex(names)} (queue_id, visible, timestamp, id),
      CONSTRAINT \`FK_kombu_message_queue\` FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id)) ${tableSuffix}`,
  ]
}
