import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { chooseBackend } from '../../config/backend-choice.js'
import { maskUrl } from '../../util/mask-url.js'
import { migratingDriver } from '../migrations.js'
import { printJson } from '../print.js'
import type { CommandContext } from '../command-context.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

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
