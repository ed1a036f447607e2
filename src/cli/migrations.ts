import { loadDriver } from '../broker/driver-table.js'
import type { BrokerRegistry } from '../broker/registry.js'
import { ConfigError } from '../errors/errors.js'
import { isRecord } from '../util/record.js'

/** How a store is opened for a migration. */
export interface MigrationOptions {
  readonly transportOptions: Readonly<Record<string, unknown>>
}

/** What the module of a driver with tables exports beside its factory. */
export interface MigratingDriver {
  /** Make and extend tables; the names of what was done. */
  readonly migrate: (
    url: string,
    options: MigrationOptions,
  ) => Promise<{ readonly applied: readonly string[] }>
  /** The statements that `migrate` would run. */
  readonly planMigrations: (url: string, options: MigrationOptions) => Promise<readonly string[]>
}

/**
 * The driver of a store if it has tables to migrate; `undefined` where there is nothing to do.
 *
 * @throws ConfigError for an unknown scheme or a missing package.
 */
export async function migratingDriver(
  brokers: BrokerRegistry,
  url: string,
): Promise<MigratingDriver | undefined> {
  if (!brokers.schemes.includes(schemeOf(url)) && !url.startsWith('db+')) return undefined
  const loaded: unknown = await loadDriver(brokers.find(url))
  return isMigrating(loaded) ? loaded : undefined
}

/** @throws ConfigError for an object in place of a URL: the application that owns the connection migrates. */
export function urlToMigrate(target: string | object): string {
  if (typeof target === 'string') return target
  throw new ConfigError('the store is an object of the application; name its URL with --broker to migrate it')
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
