import { existsSync } from 'node:fs'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import type { BrokerFactory } from '../../src/broker/registry.js'
import { SqlBroker } from './broker.js'
import { asBroker } from '../../src/broker/store-failure.js'
import { knexSettings } from './settings/knex-settings.js'
import { applyMigrations, planMigrationsOf } from './migrate.js'
import type { SchemaPart } from './migrate.js'
import { IN_MEMORY } from './settings/sqlite-settings.js'
import { openStore } from './store.js'
import { parseSettings, settingsOf } from './settings/database-settings.js'
import type { DatabaseSettings } from './settings/database-settings.js'
import { append } from '../../src/util/long-list.js'

/** Opens `sqlite:///…`, `postgresql://…` and `mysql://…`. */
export const createBroker: BrokerFactory = (url, options) =>
  new SqlBroker(settingsOf(url, options), { autoMigrate: options.autoMigrate ?? true })

/** How to migrate. */
export interface MigrateOptions {
  /** As `brokerTransportOptions`. */
  readonly transportOptions?: Readonly<Record<string, unknown>>
}

/**
 * Make and extend the tables of a database.
 *
 * @param url - Or a Knex instance. `sqlite:///…` brings the queue's tables and those of the results up to date, `db+sqlite:///…` the latter.
 * @returns Names of what was done; empty when everything was there.
 */
export async function migrate(
  url: string | object,
  options: MigrateOptions = {},
): Promise<{ readonly applied: readonly string[] }> {
  return asBroker(async () => {
    const store = await openStore(settingsToMigrate(url, options))
    try {
      const applied: string[] = []
      for (const part of partsOf(url)) append(applied, await applyMigrations(store, part))
      return { applied }
    } finally {
      await store.release()
    }
  })
}

/** The statements that {@link migrate} would run, as SQL text. A file that does not exist is not made by it. */
export async function planMigrations(
  url: string | object,
  options: MigrateOptions = {},
): Promise<readonly string[]> {
  return asBroker(async () => {
    const settings = settingsToMigrate(url, options)
    const store = await openStore(withoutMakingIt(settings))
    try {
      const statements: string[] = []
      for (const part of partsOf(url)) {
        const plan = await planMigrationsOf(store, part)
        append(
          statements,
          plan.flatMap((migration) => migration.statements),
        )
      }
      return statements
    } finally {
      await store.release()
    }
  })
}

/** The settings, or an empty database for a file that does not exist. */
function withoutMakingIt(settings: DatabaseSettings): DatabaseSettings {
  return settings.kind === 'sqlite' && !existsSync(settings.path)
    ? { ...settings, path: IN_MEMORY }
    : settings
}

function settingsToMigrate(url: string | object, { transportOptions }: MigrateOptions): DatabaseSettings {
  return typeof url === 'string'
    ? parseSettings(parseConnectionUrl(url), transportOptions)
    : knexSettings(url, transportOptions)
}

function partsOf(url: string | object): readonly SchemaPart[] {
  return typeof url === 'string' && url.startsWith('db+') ? ['results'] : ['broker', 'results']
}
