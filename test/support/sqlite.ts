import { chooseEngine, ENGINE_NAMES } from '../../brokers/sql/engine/choose.js'
import type { EngineName } from '../../brokers/sql/engine/native.js'
import { ConfigError, DriverMissingError } from '../../src/errors/errors.js'

/**
 * The SQLite engines of this run. `npm test` runs the others on Node 24 and in a project that has better-sqlite3, and
 * counts them there.
 *
 * @throws the error of one that has to be here: libsql, or one that is here and does not load.
 */
export async function sqliteEngines(): Promise<readonly EngineName[]> {
  const found: EngineName[] = []
  for (const name of ENGINE_NAMES) {
    try {
      found.push((await chooseEngine(name)).name)
    } catch (error) {
      const isElsewhere = error instanceof DriverMissingError || error instanceof ConfigError
      if (name === 'libsql' || !isElsewhere) throw error
    }
  }
  return found
}

/** URL of a file for one engine. */
export function sqliteUrl(path: string, engine?: EngineName): string {
  return engine === undefined ? `sqlite:///${path}` : `sqlite:///${path}?engine=${engine}`
}
