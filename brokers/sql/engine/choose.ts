import { ConfigError, DriverMissingError } from '../../../src/errors/errors.js'
import { loadPackageEngine } from './better-sqlite3.js'
import { isRecord } from '../../../src/util/record.js'
import type { EngineName, SqliteEngine } from './native.js'
import { loadNodeEngine } from './node-sqlite.js'

/** Every engine, in the order of preference. */
export const ENGINE_NAMES: readonly EngineName[] = ['node:sqlite', 'better-sqlite3', 'libsql']

/** Whether a text names an engine. */
export function isEngineName(text: string): text is EngineName {
  return ENGINE_NAMES.some((name) => name === text)
}

/**
 * The engine to use: the one asked for, else Node's own, else the first package that is installed.
 *
 * @throws {@link DriverMissingError} when none is there; it names the package whose binary needs no compiler.
 */
export async function chooseEngine(wanted: EngineName | undefined): Promise<SqliteEngine> {
  if (wanted !== undefined) return loadWanted(wanted)
  const builtin = loadNodeEngine()
  if (builtin !== undefined) return builtin
  const failures: unknown[] = []
  for (const name of ['better-sqlite3', 'libsql'] as const) {
    try {
      return await loadPackageEngine(name)
    } catch (cause) {
      failures.push(cause)
    }
  }
  throw new DriverMissingError('sqlite', 'libsql', { cause: failures.at(-1) })
}

async function loadWanted(name: EngineName): Promise<SqliteEngine> {
  if (name === 'node:sqlite') {
    const builtin = loadNodeEngine()
    if (builtin !== undefined) return builtin
    throw new ConfigError(`the engine "node:sqlite" needs Node 22.13 or later, this is ${process.version}`)
  }
  try {
    return await loadPackageEngine(name)
  } catch (cause) {
    if (isNotInstalled(cause)) throw new DriverMissingError('sqlite', name, { cause })
    throw cause
  }
}

function isNotInstalled(error: unknown): boolean {
  return isRecord(error) && (error['code'] === 'ERR_MODULE_NOT_FOUND' || error['code'] === 'MODULE_NOT_FOUND')
}
