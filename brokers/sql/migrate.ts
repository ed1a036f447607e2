import { setTimeout as sleep } from 'node:timers/promises'
import type { Knex } from 'knex'
import { ConfigError } from '../../src/errors/errors.js'
import type { Migration, SqlDialect } from './dialect/dialect.js'
import { SqlFailure } from './failure.js'
import type { SqlSession, SqlDatabase } from './sql-session.js'

/** Which tables: those of the queue, those of the results. */
export type SchemaPart = 'broker' | 'results'

const MOST_TRIES = 4
const PAUSE_MS = 50

/** A database and how to speak to it. */
export interface Schema {
  readonly database: SqlDatabase
  readonly dialect: SqlDialect
}

/**
 * Bring the tables of one part up to date.
 *
 * Runs under a lock, so of two processes that start at once one finds the work done.
 *
 * @returns Names of what was done, in order.
 */
export async function applyMigrations(schema: Schema, part: SchemaPart): Promise<readonly string[]> {
  const { database, dialect } = schema
  const knex = await database.knex()
  const work = async (session: SqlSession): Promise<readonly string[]> => {
    await dialect.lockSchema(session)
    try {
      const pending = await pendingMigrations(schema, session, part, knex)
      for (const migration of pending) await apply(dialect, session, migration)
      return pending.map(({ name }) => name)
    } finally {
      await dialect.unlockSchema(session)
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
  const knex = await schema.database.knex()
  return schema.database.read(async (session) => pendingMigrations(schema, session, part, knex))
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

// Starting a process should not cost the query builder's loading when there is nothing to do.
async function isCurrent(schema: Schema, part: SchemaPart): Promise<boolean> {
  const { database, dialect } = schema
  return database.read(async (session) => {
    if (part === 'results') return dialect.resultsAreCurrent(session, database.names)
    const applied = await appliedMigrations(schema, session)
    if (!dialect.brokerMigrations.every((name) => applied.has(name))) return false
    return (await dialect.shared?.areCurrent(session, database.names)) ?? true
  })
}

async function pendingMigrations(
  schema: Schema,
  session: SqlSession,
  part: SchemaPart,
  knex: Knex,
): Promise<readonly Migration[]> {
  const { dialect, database } = schema
  if (part === 'results') return dialect.resultSchema(session, knex, database.names)
  const applied = await appliedMigrations(schema, session)
  const own = dialect.brokerSchema(knex, database.names).filter(({ name }) => !applied.has(name))
  return [...own, ...((await dialect.shared?.schema(session, database.names)) ?? [])]
}

async function appliedMigrations(
  { database, dialect }: Schema,
  session: SqlSession,
): Promise<ReadonlySet<string>> {
  if (!(await dialect.hasTable(session, database.names.migration))) return new Set()
  const rows = await session.rows((query, names) => query(names.migration).select('name'))
  return new Set(rows.map(({ name }) => String(name)))
}

async function apply(dialect: SqlDialect, session: SqlSession, migration: Migration): Promise<void> {
  for (const statement of migration.statements) await session.run(statement)
  // Tables that others make too tell by themselves what they lack.
  if (!dialect.brokerMigrations.includes(migration.name)) return
  await session.change((knex, names) => knex(names.migration).insert({ name: migration.name }))
}
