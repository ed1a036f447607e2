import { suggest } from '../../util/suggest.js'
import { ACCEPTED_OPTIONS, OPTIONS } from './option-table.js'
import type { Option } from './option.js'

/**
 * Which spelling a name is in: `camel` (ours), `lower` (Celery's), `old` (upper case, before Celery 4), or `any` for a
 * single word that camelCase and lower case share.
 */
export type SpellingStyle = 'camel' | 'lower' | 'old' | 'any'

/** An option found by one of its names. */
export interface FoundOption {
  /** The camelCase name. */
  readonly name: string
  readonly option: Option
  readonly style: SpellingStyle
}

/** `taskAcksLate` as Celery writes it: `task_acks_late`. */
export function lowerName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The environment variable of an option: `LOVAGE_TASK_ACKS_LATE`. */
export function environmentName(name: string): string {
  return `LOVAGE_${lowerName(name).toUpperCase()}`
}

/** The upper-case names of an option, the usual one first; the upper-case form of the new name always counts. */
export function oldNames(name: string, option: Option): readonly string[] {
  const upper = lowerName(name).toUpperCase()
  return [...new Set([...(option.old ?? []), upper, `CELERY_${upper}`])]
}

const BY_SPELLING: ReadonlyMap<string, FoundOption> = spellings()

function spellings(): ReadonlyMap<string, FoundOption> {
  const found = new Map<string, FoundOption>()
  for (const [name, option] of ACCEPTED_OPTIONS) {
    for (const camel of [name, ...(option.aliases ?? [])]) {
      const lower = lowerName(camel)
      found.set(camel, { name, option, style: lower === camel ? 'any' : 'camel' })
      if (lower !== camel) found.set(lower, { name, option, style: 'lower' })
      const unclaimed = oldNames(camel, option).filter((old) => !found.has(old))
      for (const old of unclaimed) found.set(old, { name, option, style: 'old' })
    }
  }
  return found
}

const BY_FOLDED_OLD_NAME: ReadonlyMap<string, FoundOption> = new Map(
  [...BY_SPELLING]
    .filter(([, found]) => found.style === 'old')
    .map(([name, found]) => [name.toLowerCase(), found]),
)

/** The option of a name in any of its spellings. */
export function findOption(spelling: string): FoundOption | undefined {
  return BY_SPELLING.get(spelling)
}

/** As {@link findOption}, old names in lower case too: Python's ini parser does not keep case. */
export function findOptionInIni(spelling: string): FoundOption | undefined {
  return BY_SPELLING.get(spelling) ?? BY_FOLDED_OLD_NAME.get(spelling)
}

/** The known name that an unknown one was most likely meant for, in the spelling it is written in. */
export function nearestName(unknown: string): string | undefined {
  const near = suggest(unknown, CAMEL_NAMES) ?? suggest(unknown, BY_SPELLING.keys())
  if (near === undefined) return undefined
  const found = BY_SPELLING.get(near)
  const camel = found === undefined || found.style === 'camel' || found.style === 'any' ? near : found.name
  if (/^[A-Z0-9_]+$/.test(unknown)) return nearestOldName(unknown, found?.name ?? near)
  return unknown.includes('_') ? lowerName(camel) : camel
}

const CAMEL_NAMES: readonly string[] = [...OPTIONS].flatMap(([name, option]) => [
  name,
  ...(option.aliases ?? []),
])

function nearestOldName(unknown: string, name: string): string {
  const option = ACCEPTED_OPTIONS.get(name)
  const candidates = option === undefined ? [] : oldNames(name, option)
  return suggest(unknown, candidates) ?? candidates[0] ?? name
}
