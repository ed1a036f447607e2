import { loadDriver } from '../broker/driver-table.js'
import type { BrokerRegistry } from '../broker/registry.js'
import { isRecord } from '../util/record.js'

/** How a store is opened for a migration. */
export interface MigrationOptions {
  readonly transportOptions: Readonly<Record<string, unknown>>
}

/** What the module of a driver with tables exports beside its factory. */
export interface MigratingDriver {
  /** Make and extend tables; the names of what was done. */
  readonly migrate: (
    store: string | object,
    options: MigrationOptions,
  ) => Promise<{ readonly applied: readonly string[] }>
  /** The statements that `migrate` would run. */
  readonly planMigrations: (store: string | object, options: MigrationOptions) => Promise<readonly string[]>
}

/**
 * The driver of a store if it has tables to migrate; `undefined` where there is nothing to do.
 *
 * @param store - A URL, or a Knex instance of the application.
 * @throws ConfigError for an unknown scheme or a missing package.
 */
export async function migratingDriver(
  brokers: BrokerRegistry,
  store: string | object,
): Promise<MigratingDriver | undefined> {
  if (typeof store === 'string' && !isKnown(brokers, store)) return undefined
  const loaded: unknown = await loadDriver(brokers.find(store))
  return isMigrating(loaded) ? loaded : undefined
}

function isKnown(brokers: BrokerRegistry, url: string): boolean {
  return brokers.schemes.includes(schemeOf(url)) || /^(db|sqla)\+/.test(url)
}

function schemeOf(url: string): string {
  return url.slice(0, Math.max(0, url.indexOf(':'))).replace(/\+.*$/, '')
}

function isMigrating(loaded: unknown): loaded is MigratingDriver {
  return (
    isRecord(loaded) &&
    typeof loaded['migrate'] === 'function' &&
    typeof loaded['planMigrations'] === 'function'
  )
}
