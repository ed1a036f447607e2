import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { driverOptions } from '../../src/broker/driver-options.js'
import type { ConnectionUrl } from '../../src/broker/connection-url.js'
import { ConfigError, UnsupportedError } from '../../src/errors/errors.js'
import { toMs } from '../../src/util/duration.js'
import { ENGINE_NAMES, isEngineName } from './engine/choose.js'
import type { EngineName } from './engine/native.js'

/** A SQLite file to open, and how. */
export interface SqlTarget {
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
const KNOWN = ['engine', 'sqliteSynchronous', 'lockWait', 'pollInterval']
// kombu's options for its SQL transport and others that a shared configuration may carry.
const IGNORED = [
  'visibility_timeout',
  'polling_interval',
  'echo',
  'max_retries',
  'interval_start',
  'interval_step',
  'interval_max',
]

/**
 * The file that a URL names: `sqlite:///relative.db`, `sqlite:////absolute.db`, or the embedded file for `sqlite://`.
 *
 * @throws {@link ConfigError} for `:memory:`, an unknown engine or option; {@link UnsupportedError} for kombu's tables.
 */
export function parseTarget(
  url: ConnectionUrl,
  transportOptions?: Readonly<Record<string, unknown>>,
): SqlTarget {
  if (url.scheme.startsWith('sqla+')) {
    throw new UnsupportedError(
      `kombu's tables (${url.scheme}://) are not supported yet; sqlite:/// has Lovage's own`,
    )
  }
  const options = driverOptions(url, transportOptions, [...KNOWN, ...IGNORED])
  return {
    path: filePath(url),
    engine: engineOption(options.get('engine')),
    synchronous: synchronousOption(options.get('sqliteSynchronous')),
    lockWaitMs: durationOption(options, 'lockWait', 5000),
    pollMs: durationOption(options, 'pollInterval', 2000),
  }
}

function filePath(url: ConnectionUrl): string {
  if (url.path.includes(':memory:')) {
    throw new ConfigError(
      'a SQLite database in memory is seen by one connection only: use memory:// or a file',
    )
  }
  return url.path === '' ? embeddedPath(process.cwd()) : resolve(url.path)
}

/** Path of the embedded default: `.lovage/queue.sqlite` beside the nearest `package.json` above `startFolder`. */
export function embeddedPath(startFolder: string): string {
  let folder = resolve(startFolder)
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) return join(resolve(startFolder), '.lovage', 'queue.sqlite')
    folder = parent
  }
  return join(folder, '.lovage', 'queue.sqlite')
}

/** Make the folder of the embedded file, which ignores itself for git. Folders of other files have to exist. */
export function prepareFolder(path: string): void {
  const folder = dirname(path)
  if (basename(folder) !== '.lovage' || existsSync(join(folder, '.gitignore'))) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '.gitignore'), '*\n')
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

function durationOption(options: ReadonlyMap<string, unknown>, name: string, fallbackMs: number): number {
  const value = options.get(name)
  if (value === undefined) return fallbackMs
  const seconds = typeof value === 'string' ? Number(value) : value
  if (typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0) return toMs(seconds, name)
  throw new ConfigError(`expected option "${name}" to be a number of seconds, got: ${JSON.stringify(value)}`)
}
