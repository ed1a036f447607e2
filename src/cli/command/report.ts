import { createRequire } from 'node:module'

import { Command } from 'commander'

import type { Lovage } from '../../app/app.js'
import { isRecord } from '../../util/record.js'
import { printJson, shownValue, table } from '../print.js'
import type { CommandContext } from '../command-context.js'
import { packageVersion } from '../version.js'
import { COMMAND_SUMMARIES } from './summaries.js'
import { internalsOf } from '../../util/internals.js'

/** `lovage report`: what a bug report needs, with passwords masked. */
export function reportCommand(session: CommandContext): Command {
  return new Command('report')
    .description(COMMAND_SUMMARIES.report.description)
    .option('--json', 'print one JSON object')
    .action(async (flags: { readonly json?: boolean }) => {
      const app = await session.openApp()
      await internalsOf(app).loadTaskModules()
      const software = versions()
      const settings = app.conf.table()
      const about = aboutApp(app, session.place)
      if (flags.json === true) {
        printJson(session.io.stdout, { software, app: about, settings })
        return
      }
      session.io.stdout.write(section('software', software))
      session.io.stdout.write(section('app', about))
      session.io.stdout.write(section('settings', settings))
    })
}

function section(title: string, entries: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(entries).map(([name, value]) => [`  ${name}`, shownValue(value)])
  return `${title}\n${rows.length === 0 ? '  (all defaults)\n' : table(rows)}`
}

const RUNTIME = ['node', 'v8', 'openssl', 'sqlite']
const PACKAGES = ['knex', 'luxon', 'pino', 'esbuild', 'libsql', 'better-sqlite3', 'yaml', '@msgpack/msgpack']

function versions(): Readonly<Record<string, string>> {
  const found: Record<string, string> = {
    lovage: packageVersion(),
    platform: `${process.platform} ${process.arch}`,
  }
  for (const name of RUNTIME) add(found, name, process.versions[name])
  for (const name of PACKAGES) add(found, name, installedVersion(name))
  return found
}

function add(versionsByName: Record<string, string>, name: string, version: string | undefined): void {
  if (version !== undefined) versionsByName[name] = version
}

function installedVersion(name: string): string | undefined {
  try {
    const manifest: unknown = createRequire(import.meta.url)(`${name}/package.json`)
    return isRecord(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : undefined
  } catch {
    return undefined
  }
}

function aboutApp(app: Lovage, place: string | undefined): Readonly<Record<string, unknown>> {
  return {
    main: app.main,
    ...(place === undefined ? {} : { module: place }),
    tasks: [...app.tasks.keys()].sort().join(', '),
    queues: internalsOf(app)
      .queues()
      .map((queue) => queue.name)
      .join(', '),
  }
}
