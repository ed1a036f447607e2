import { columnsOf, hasSequences, placeOf, tableSuffix } from '../dialect/mysql-schema.js'
import type { Migration } from '../dialect/dialect.js'
import type { Session } from '../session.js'
import { withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { claimIndex } from './flavour.js'
import type { KombuFlavour } from './flavour.js'

const HAS_INDEX = `SELECT 1 FROM information_schema.statistics
  WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ? AND index_name = ? LIMIT 1`

/** kombu's tables on MySQL and MariaDB. */
export const mysqlFlavour: KombuFlavour = {
  visible: 'visible = 1',
  skipsLocked: true,
  async areCurrent(session: Session, names: TableNames): Promise<boolean> {
    const { queue, message, isIndexed } = await stateOf(session, names)
    return queue.makesIds && message.makesIds && isIndexed
  },
  async schema(session: Session, names: TableNames): Promise<readonly Migration[]> {
    const { queue, message, isIndexed } = await stateOf(session, names)
    if (queue.makesIds && message.makesIds && isIndexed) return []
    const sequences = await hasSequences(session)
    const templates = [
      ...(sequences ? SEQUENCES : []),
      ...tables(names, sequences),
      // SQLAlchemy takes ids from the sequences by itself and gives the columns no default.
      ...(queue.exists && !queue.makesIds ? [defaultOfId('kombuQueue', 'kombuQueueIds')] : []),
      ...(message.exists && !message.makesIds ? [defaultOfId('kombuMessage', 'kombuMessageIds')] : []),
      ...(message.exists && !isIndexed ? [`ALTER TABLE {kombuMessage} ADD ${claimKey(names)}`] : []),
    ]
    return [{ name: "kombu's tables", statements: templates.map((text) => withNames(text, names, '`')) }]
  },
}

interface State {
  readonly queue: { readonly exists: boolean; readonly makesIds: boolean }
  readonly message: { readonly exists: boolean; readonly makesIds: boolean }
  readonly isIndexed: boolean
}

async function stateOf(session: Session, names: TableNames): Promise<State> {
  const tableOf = async (name: string): Promise<State['queue']> => {
    const columns = await columnsOf(session, name)
    return {
      exists: columns.length > 0,
      makesIds: columns.some(({ column, hasDefault }) => column === 'id' && hasDefault),
    }
  }
  const found = await session.all(HAS_INDEX, [...placeOf(names.kombuMessage), claimIndex(names)])
  return {
    queue: await tableOf(names.kombuQueue),
    message: await tableOf(names.kombuMessage),
    isIndexed: found.length > 0,
  }
}

const SEQUENCES: readonly string[] = [
  'CREATE SEQUENCE IF NOT EXISTS {kombuQueueIds}',
  'CREATE SEQUENCE IF NOT EXISTS {kombuMessageIds}',
]

/**
 * As SQLAlchemy makes them, but for the payload, which there ends at 64 KiB.
 *
 * @source kombu 5.7, `kombu/transport/sqlalchemy/models.py`.
 */
function tables(names: TableNames, sequences: boolean): readonly string[] {
  const id = (ids: string): string =>
    `id INTEGER NOT NULL PRIMARY KEY ${sequences ? `DEFAULT nextval({${ids}})` : 'AUTO_INCREMENT'}`
  const table = names.kombuMessage.slice(names.kombuMessage.lastIndexOf('.') + 1)
  return [
    `CREATE TABLE IF NOT EXISTS {kombuQueue} (${id('kombuQueueIds')}, name VARCHAR(200) UNIQUE) ${tableSuffix}`,
    `CREATE TABLE IF NOT EXISTS {kombuMessage} (${id('kombuMessageIds')}, visible BOOL, timestamp DATETIME,
      payload LONGTEXT NOT NULL, version SMALLINT NOT NULL, queue_id INTEGER,
      KEY ix_${table}_visible (visible), KEY ix_${table}_timestamp (timestamp),
      KEY ix_kombu_message_timestamp_id (timestamp, id), ${claimKey(names)},
      CONSTRAINT \`FK_kombu_message_queue\` FOREIGN KEY (queue_id) REFERENCES {kombuQueue} (id)) ${tableSuffix}`,
  ]
}

function claimKey(names: TableNames): string {
  return `KEY ${claimIndex(names)} (queue_id, visible, timestamp, id)`
}

function defaultOfId(table: string, ids: string): string {
  return `ALTER TABLE {${table}} ALTER COLUMN id SET DEFAULT nextval({${ids}})`
}
