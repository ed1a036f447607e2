import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { driverOptions } from '../../../src/broker/driver-options.js'
import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { ConfigError } from '../../../src/errors/errors.js'
import { embeddedPath } from '../../../src/util/package-folder.js'
import { ENGINE_NAMES, isEngineName } from '../engine/choose.js'
import type { EngineName } from '../engine/native.js'
import { tableNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import { durationOption, IGNORED_OPTIONS, layoutOf, PLACE_OPTIONS, placeOf } from './options.js'
import type { QueueLayout } from './options.js'

/** A SQLite file to open, and how. */
export interface SqliteSettings {
  readonly kind: 'sqlite'
  readonly layout: QueueLayout
  readonly names: TableNames
  /** Absolute path. */
  readonly path: string
  /** The engine asked for; the first that is there when undefined. */
  readonly engine: EngineName | undefined
  /** `PRAGMA synchronous`; `FULL`, or what another user of the file asked for, when undefined. */
  readonly synchronous: string | undefined
  readonly lockWaitMs: number
  /** How often a waiting consumer looks by itself, in milliseconds. */
  readonly pollMs: number
}

const SYNCHRONOUS = ['OFF', 'NORMAL', 'FULL', 'EXTRA'] as const
/** The path that SQLite takes for a database without a file. */
export const IN_MEMORY = ':memory:'
const KNOWN = ['engine', 'sqliteSynchronous', 'lockWait', 'pollInterval']

/**
 * The file that a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db`, or the embedded file for `sqlite://`.
 *
 * @throws {@link ConfigError} for `:memory:`, an unknown engine or option.
 */
export function sqliteSettings(
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): SqliteSettings {
  const options = driverOptions(url, transportOptions, [...KNOWN, ...PLACE_OPTIONS, ...IGNORED_OPTIONS])
  const layout = layoutOf(url)
  return {
    kind: 'sqlite',
    layout,
    names: tableNames(placeOf(options, layout)),
    path: filePath(url),
    engine: engineOption(options.get('engine')),
    synchronous: synchronousOption(options.get('sqliteSynchronous')),
    lockWaitMs: durationOption(options, 'lockWait', 5000),
    pollMs: durationOption(options, 'pollInterval', 2000),
  }
}

function filePath(url: ConnectionUrl): string {
  if (url.path.includes(IN_MEMORY)) {
    throw new ConfigError(
      'a SQLite database in memory is seen by one connection only: use memory:// or a file',
    )
  }
  return url.path === '' ? embeddedPath(process.cwd()) : resolve(url.path)
}

/**
 * Make the file where there is none, readable by its owner only, and the folder of the embedded file, which ignores itself
 * for git. SQLite gives the files beside it the same mode. Folders of other files have to exist.
 */
export function prepareFile(path: string): void {
  if (path === IN_MEMORY) return
  const folder = dirname(path)
  if (basename(folder) === '.lovage' && !existsSync(join(folder, '.gitignore'))) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(join(folder, '.gitignore'), '*\n')
  }
  try {
    // Never opened when it exists: closing it would drop the locks that SQLite has on it in this process.
    closeSync(openSync(path, 'wx', 0o600))
  } catch {
    // It exists, or cannot be made, which SQLite then says.
  }
}

function engineOption(value: unknown): EngineName | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && isEngineName(value)) return value
  throw new ConfigError(
    `expected option "engine" to be one of ${ENGINE_NAMES.join(', ')}, got: ${JSON.stringify(value)}`,
  )
}

function synchronousOption(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const found = SYNCHRONOUS.find((name) => typeof value === 'string' && name === value.toUpperCase())
  if (found !== undefined) return found
  throw new ConfigError(
    `expected option "sqliteSynchronous" to be one of ${SYNCHRONOUS.join(', ')}, got: ${JSON.stringify(value)}`,
  )
}
