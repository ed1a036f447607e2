import { ConfigError } from '../../errors/errors.js'
import { type FoundOption, lowerName } from '../option/option-names.js'

/** A name as it stands in a source, and the option it means. */
export interface SpelledName {
  readonly spelling: string
  readonly found: FoundOption
}

/**
 * Refuses a source that has Celery's old and new names side by side, and lists what to rename to the commoner form.
 *
 * An option that is there under both names is no mixture; camelCase goes with either.
 *
 * @source Celery 5.7, `celery/app/utils.py`, `detect_settings`.
 * @throws {@link ConfigError}
 */
export function refuseMixedSpellings(names: readonly SpelledName[], source: string): void {
  const newOnes = names.filter(({ found }) => found.style === 'lower')
  const oldOnes = names.filter(({ found }) => found.style === 'old')
  if (newOnes.length === 0 || oldOnes.length === 0) return
  const toOld = oldOnes.length > newOnes.length
  const kept = new Set((toOld ? oldOnes : newOnes).map(({ found }) => found.name))
  const renames = (toOld ? newOnes : oldOnes)
    .filter(({ found }) => !kept.has(found.name))
    .map(({ spelling, found }) => `  ${spelling} -> ${toOld ? usualOldName(found) : lowerName(found.name)}`)
  if (renames.length === 0) return
  throw new ConfigError(
    `new and old setting names are mixed in ${source}; rename the following to the ${toOld ? 'old' : 'new'} form` +
      `${toOld ? ', or all others to the new one' : ''}:\n${renames.sort().join('\n')}`,
  )
}

function usualOldName({ name, option }: FoundOption): string {
  return option.old?.[0] ?? lowerName(name).toUpperCase()
}
