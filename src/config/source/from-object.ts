import { ConfigError } from '../../errors/errors.js'
import { append } from '../../util/long-list.js'
import type { LoadedSettings, WrittenValue } from './loaded-settings.js'
import { findOption, type FoundOption, lowerName, nearestName } from '../option/option-names.js'
import { refuseMixedSpellings, type SpelledName } from './spelling-mix.js'
import { isPlainObject, shown } from '../../util/shown.js'

/** How to read an object. */
export interface ObjectSourceOptions {
  /**
   * Read only names that begin with this and `_`, and leave all others to the host: with `CELERY`, `CELERY_ACKS_LATE`
   * and `CELERY_TASK_ACKS_LATE` are read.
   */
  readonly namespace?: string
  /**
   * What messages call the source.
   *
   * @defaultValue `the settings`
   */
  readonly source?: string
}

/**
 * The options of an object, in any spelling.
 *
 * Without a namespace an unknown name is an error; with one it warns, and other keys are the host's.
 *
 * @throws {@link ConfigError} for an unknown name, or old and new names side by side.
 */
export function settingsFromObject(settings: object, options: ObjectSourceOptions = {}): LoadedSettings {
  const source = options.source ?? 'the settings'
  return collect(Object.entries(settings), { source, namespace: options.namespace })
}

/**
 * The options of an imported module: its default export when that is an object, else its named exports.
 *
 * Functions that no option asks for and names that begin with `_` are the module's own.
 */
export function settingsFromModule(namespace: object, options: ObjectSourceOptions = {}): LoadedSettings {
  const source = options.source ?? 'the settings module'
  const entries = moduleEntries(namespace).filter(
    ([key, value]) => !key.startsWith('_') && (typeof value !== 'function' || findOption(key) !== undefined),
  )
  return collect(entries, { source, namespace: options.namespace })
}

function moduleEntries(namespace: object): readonly [string, unknown][] {
  const exported = 'default' in namespace ? namespace.default : undefined
  if (isPlainObject(exported)) {
    // A CommonJS module imported by another loader: exports.default inside of the default export.
    return '__esModule' in exported ? moduleEntries(exported) : Object.entries(exported)
  }
  if (exported !== undefined && Object.keys(namespace).every((key) => key === 'default')) {
    throw new ConfigError(
      `expected a settings module to export an object of options, got: ${shown(exported)}`,
    )
  }
  return Object.entries(namespace).filter(([key]) => key !== 'default')
}

interface Collecting {
  readonly source: string
  readonly namespace: string | undefined
}

function collect(entries: readonly (readonly [string, unknown])[], context: Collecting): LoadedSettings {
  const names: SpelledName[] = []
  const values = new Map<string, WrittenValue>()
  const host: Record<string, unknown> = {}
  const warnings: string[] = []
  for (const [spelling, value] of entries) {
    const found =
      context.namespace === undefined ? findOption(spelling) : findInNamespace(spelling, context.namespace)
    if (found === 'host') host[spelling] = value
    else if (found === undefined) append(warnings, refuseUnknown(spelling, context))
    else if (value !== undefined) {
      names.push({ spelling, found })
      addValue(values, found, { value, label: spelling })
      append(warnings, deprecation(spelling, found))
    }
  }
  if (context.namespace === undefined) refuseMixedSpellings(names, context.source)
  return { source: context.source, values, host, warnings }
}

/** The last one wins, but a new name beats an old one of the same option. */
export function addValue(values: Map<string, WrittenValue>, found: FoundOption, written: WrittenValue): void {
  if (found.style === 'old' && values.has(found.name)) return
  values.set(found.name, written)
}

function findInNamespace(spelling: string, namespace: string): FoundOption | 'host' | undefined {
  const prefix = `${namespace}_`
  if (!spelling.startsWith(prefix)) return 'host'
  return findOption(spelling.slice(prefix.length).toLowerCase()) ?? findOption(spelling)
}

function refuseUnknown(spelling: string, { source, namespace }: Collecting): readonly string[] {
  const prefix = namespace === undefined ? '' : `${namespace}_`
  const near = nearestName(spelling.slice(prefix.length))
  const hint = near === undefined ? '' : `; did you mean "${prefix}${near}"?`
  const sentence = `unknown option "${spelling}"${hint}`
  if (namespace === undefined) throw new ConfigError(sentence)
  return [`${source}: ${sentence}`]
}

/**
 * The warning that a deprecated option or spelling asks for.
 *
 * @param label - The spelling with its place, for the message.
 */
export function deprecation(
  spelling: string,
  found: FoundOption,
  label: string = spelling,
): readonly string[] {
  const { name, option, style } = found
  if (option.deprecated !== undefined) return [`the setting ${label} is deprecated; ${option.deprecated}`]
  // Renamed in Celery 4; the ones that merely changed case are spelled the old way on purpose.
  const upper = lowerName(name).toUpperCase()
  if (style !== 'old' || [upper, `CELERY_${upper}`].includes(spelling.toUpperCase())) return []
  return [`the setting ${label} is the old name of ${lowerName(name)} (${name})`]
}
