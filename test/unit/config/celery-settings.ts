import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One setting as Celery has it. */
export interface CelerySetting {
  readonly name: string
  /** Upper-case names from before Celery 4; none for settings that the guide alone has. */
  readonly old: readonly string[]
  /** Lengths of time in seconds, infinity as text, `None` as `null`. */
  readonly default: unknown
}

/** The 222 settings of Celery 5.6 and the ones that 5.7 adds, read out of its sources. */
export function celerySettings(): {
  readonly settings: readonly CelerySetting[]
  readonly newIn57: readonly CelerySetting[]
} {
  let folder = dirname(fileURLToPath(import.meta.url))
  const path = join('test', 'vectors', 'config', 'celery-settings.json')
  while (!existsSync(join(folder, path))) folder = dirname(folder)
  return JSON.parse(readFileSync(join(folder, path), 'utf8')) as ReturnType<typeof celerySettings>
}

/** `task_acks_late` as `taskAcksLate`. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
}
