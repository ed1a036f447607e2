import type { NeededRights } from './dialect/dialect.js'
import { SqlFailure } from './failure.js'
import type { Schema, SchemaPart } from './migrate.js'
import type { TableNames } from './table-names.js'

/**
 * See that the role may do what the tables of one part are used for, where the database tells.
 *
 * @throws {@link SqlFailure} that names each missing right by the statement that gives it.
 */
export async function checkRights({ database, dialect }: Schema, part: SchemaPart): Promise<void> {
  const needed = neededRights(database.names, part, dialect.schema.shared !== undefined)
  const missing =
    (await database.read(async (session) => dialect.schema.missingGrants?.(session, needed))) ?? []
  if (missing.length === 0) return
  throw new SqlFailure(
    'refused',
    `the role lacks rights that ${part === 'broker' ? 'the queue' : 'results'} cannot do without; run: ${missing.join('; ')}`,
    undefined,
  )
}

/** The table of migrations is only read, which was done before this. */
function neededRights(names: TableNames, part: SchemaPart, isShared: boolean): NeededRights {
  if (part === 'results') return { tables: [names.taskmeta, names.tasksetmeta], sequences: [] }
  const { message, holder, queue, binding, topology, broadcast, beat, beatEntry, beatOccurrence } = names
  const own = [message, holder, queue, binding, topology, broadcast, beat, beatEntry, beatOccurrence]
  if (!isShared) return { tables: own, sequences: [] }
  return {
    tables: [...own, names.kombuQueue, names.kombuMessage],
    sequences: [names.kombuQueueIds, names.kombuMessageIds],
  }
}
