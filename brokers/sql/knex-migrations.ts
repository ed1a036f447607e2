import type { Knex } from 'knex'
import { ConfigError } from '../../src/errors/errors.js'
import { migrate } from './index.js'
import type { MigrateOptions } from './index.js'

/**
 * Lovage's tables as migrations of knex, for an application that has its own: `lovage/knex`.
 *
 * Inside of a migration file `up(knex)` is enough; {@link migrationSource} is for a run of its own:
 * `knex.migrate.latest({ migrationSource: migrationSource(), tableName: 'lovage_knex_migrations' })`.
 */
export function migrationSource(options: MigrateOptions = {}): Knex.MigrationSource<string> {
  return {
    getMigrations: () => Promise.resolve(['lovage-1']),
    getMigrationName: (name) => name,
    getMigration: () =>
      Promise.resolve({
        up: (knex: Knex) => up(knex, options),
        // A queue is not given up by accident: its tables are dropped by hand.
        down: () => Promise.resolve(),
        config: { transaction: false },
      }),
  }
}

/**
 * Make and extend Lovage's tables on a knex, or do nothing where they are there.
 *
 * The migration it is called in has to run outside of a transaction: `export const config = { transaction: false }`.
 *
 * @throws {@link ConfigError} inside of one.
 */
export async function up(knex: Knex, options: MigrateOptions = {}): Promise<void> {
  if (knex.isTransaction === true) {
    throw new ConfigError(
      "Lovage's tables are made under a lock of their own, outside of a transaction: add to this migration " +
        '`export const config = { transaction: false }`',
    )
  }
  await migrate(knex, options)
}
