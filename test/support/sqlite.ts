import { chooseEngine, ENGINE_NAMES } from '../../brokers/sql/engine/choose.js'
import type { EngineName } from '../../brokers/sql/engine/native.js'

/** The SQLite engines of this machine; why another one is left out is printed. */
export async function sqliteEngines(): Promise<readonly EngineName[]> {
  const found: EngineName[] = []
  for (const name of ENGINE_NAMES) {
    try {
      found.push((await chooseEngine(name)).name)
    } catch (error) {
      process.stderr.write(`skipped: SQLite engine ${name}: ${error instanceof Error ? error.message : ''}\n`)
    }
  }
  return found
}

/** URL of a file for one engine. */
export function sqliteUrl(path: string, engine?: EngineName): string {
  return engine === undefined ? `sqlite:///${path}` : `sqlite:///${path}?engine=${engine}`
}
