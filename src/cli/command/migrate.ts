import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { chooseBackend } from '../../config/backend-choice.js'
import { maskUrl } from '../../util/mask-url.js'
import { printJson } from '../print.js'
import type { CommandContext } from '../command-context.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'
import { loadDriver } from '../../broker/driver-table.js'
import type { BrokerRegistry } from '../../broker/registry.js'
import { isRecord } from '../../util/record.js'

interface MigrateFlags {
  readonly plan?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `lovage migrate`: make and extend the tables of a SQL broker and backend. */
export function migrateCommand(session: CommandContext): Command {
  return new Command('migrate')
    .description(COMMAND_SUMMARIES.migrate.description)
    .option('--plan', 'print the statements and run none')
    .option('--dry-run', 'the same as --plan')
    .option('--json', 'print JSON')
    .action((flags: MigrateFlags) => migrate(session, flags))
}

async function migrate(session: CommandContext, flags: MigrateFlags): Promise<void> {
  const app = await session.openApp()
  const config = internalsOf(app).config()
  const stores: { readonly store: string; readonly done: readonly string[] }[] = []
  const planned = flags.plan === true || flags.dryRun === true
  for (const target of storesOf(app)) {
    const driver = await migratingDriver(app.brokers, target)
    if (driver === undefined) continue
    const results = app.backends.lookUp(target)
    const transportOptions = {
      ...config.brokerTransportOptions,
      ...results?.entry.settings?.(config, results.url),
    }
    const done = planned
      ? await driver.planMigrations(target, { transportOptions })
      : (await driver.migrate(target, { transportOptions })).applied
    const store = typeof target === 'string' ? maskUrl(target) : "the application's database"
    stores.push({ store, done })
  }
  if (flags.json === true) printJson(session.io.stdout, stores)
  else print(session, stores, planned)
}

/** The broker's store, and that of the results where it is another. */
function storesOf(app: Lovage): readonly (string | object)[] {
  const choice = chooseBackend(internalsOf(app).config())
  const targets = [
    internalsOf(app).brokerLocation().target,
    ...(choice.kind === 'target' ? [choice.target] : []),
  ]
  return [...new Set(targets)]
}

function print(
  session: CommandContext,
  stores: readonly { readonly store: string; readonly done: readonly string[] }[],
  planned: boolean,
): void {
  if (stores.length === 0) session.note('Nothing to migrate: neither broker nor backend has tables.')
  for (const { store, done } of stores) {
    if (done.length === 0) session.note(`${store} is up to date.`)
    else if (planned) session.print(`-- ${store}\n${done.map((statement) => `${statement};`).join('\n')}`)
    else session.print(`${store}: ${done.join(', ')}`)
  }
}

/** How a store is opened for a migration. */
interface MigrationOptions {
  readonly transportOptions: Readonly<Record<string, unknown>>
}

/** What the module of a driver with tables exports beside its factory. */
interface MigratingDriver {
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
async function migratingDriver(
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
