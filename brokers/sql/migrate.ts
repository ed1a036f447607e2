import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../../src/errors/errors.js'
import type { Migration, NeededRights, OpenDatabase } from './dialect/dialect.js'
import { SqlFailure } from './failure.js'
import type { SqlSession } from './sql-session.js'
import type { TableNames } from './table-names.js'

/** Which tables: those of the queue, those of the results. */
export type SchemaPart = 'broker' | 'results'

const MOST_TRIES = 4
const PAUSE_MS = 50

/** A database and how to speak to it. */
export type Schema = Pick<OpenDatabase, 'database' | 'dialect'>

/**
 * Bring the tables of one part up to date.
 *
 * Runs under a lock, so of two processes that start at once one finds the work done.
 *
 * @returns Names of what was done, in order.
 */
export async function applyMigrations(schema: Schema, part: SchemaPart): Promise<readonly string[]> {
  const { database, dialect } = schema
  const work = async (session: SqlSession): Promise<readonly string[]> => {
    await dialect.schema.lock?.(session)
    try {
      const pending = await pendingMigrations(schema, session, part)
      for (const migration of pending) await apply(schema, session, migration)
      return pending.map(({ name }) => name)
    } finally {
      await dialect.schema.unlock?.(session)
    }
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await database.transaction(work, { patient: true })
    } catch (error) {
      // Celery makes its tables without a lock: what it made meanwhile is seen by the next try.
      if (!(error instanceof SqlFailure) || error.kind !== 'refused' || tries >= MOST_TRIES) throw error
    }
    await sleep(PAUSE_MS * tries)
  }
}

/** What {@link applyMigrations} would do. */
export async function planMigrationsOf(schema: Schema, part: SchemaPart): Promise<readonly Migration[]> {
  return schema.database.read(async (session) => pendingMigrations(schema, session, part))
}

/**
 * Bring the tables up to date, or say who does it.
 *
 * @throws {@link ConfigError} when something is missing and `autoMigrate` is off.
 */
export async function ensureSchema(schema: Schema, part: SchemaPart, autoMigrate: boolean): Promise<void> {
  if (await isCurrent(schema, part)) return
  if (autoMigrate) {
    await applyMigrations(schema, part)
    return
  }
  throw new ConfigError(
    `the tables for ${part} are missing or old, and databaseAutoMigrate is off; run: lovage migrate`,
  )
}

async function isCurrent(schema: Schema, part: SchemaPart): Promise<boolean> {
  const { database, dialect } = schema
  return database.read(async (session) => {
    if (part === 'results') return dialect.schema.resultsAreCurrent(session, database.names)
    const applied = await appliedMigrations(schema, session)
    if (!dialect.schema.brokerMigrations(database.names).every(({ name }) => applied.has(name))) return false
    return (await dialect.schema.shared?.areCurrent(session, database.names)) ?? true
  })
}

async function pendingMigrations(
  schema: Schema,
  session: SqlSession,
  part: SchemaPart,
): Promise<readonly Migration[]> {
  const { dialect, database } = schema
  if (part === 'results') return dialect.schema.resultMigrations(session, database.names)
  const applied = await appliedMigrations(schema, session)
  const own = dialect.schema.brokerMigrations(database.names).filter(({ name }) => !applied.has(name))
  return [...own, ...((await dialect.schema.shared?.migrations(session, database.names)) ?? [])]
}

async function appliedMigrations(
  { database, dialect }: Schema,
  session: SqlSession,
): Promise<ReadonlySet<string>> {
  if (!(await dialect.schema.hasTable(session, database.names.migration))) return new Set()
  const rows = await session.rows((query, names) => query(names.migration).select('name'))
  return new Set(rows.map(({ name }) => String(name)))
}

async function apply(
  { database, dialect }: Schema,
  session: SqlSession,
  migration: Migration,
): Promise<void> {
  for (const statement of migration.statements) await session.run(statement)
  // Tables that others make too tell by themselves what they lack.
  const own = dialect.schema.brokerMigrations(database.names)
  if (!own.some(({ name }) => name === migration.name)) return
  await session.change((knex, names) => knex(names.migration).insert({ name: migration.name }))
}

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
