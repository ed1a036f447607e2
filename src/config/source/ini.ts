import { basename } from 'node:path'
import { ConfigError } from '../../errors/errors.js'
import { append } from '../../util/long-list.js'
import { type Environment } from './environment.js'
import { addValue, deprecation } from './from-object.js'
import { beatEntryOf, label } from './ini/beat-section.js'
import { APP_SECTION, type EffectiveSection, type IniEntry, readIniFile } from './ini/ini-file.js'
import type { LoadedSettings, WrittenValue } from './loaded-settings.js'
import { findOptionInIni, type FoundOption, nearestName } from '../option/option-names.js'
import { refuseMixedSpellings, type SpelledName } from './spelling-mix.js'
import { valueFromText, guessedFromText } from '../value/from-text.js'
import { readOption } from '../value/read-option.js'
import { switchFromText, jsonFromText } from '../value/text.js'
import { camel } from '../value/members.js'

/** What is collected while the sections are read. */
interface Collected {
  readonly source: string
  readonly values: Map<string, WrittenValue>
  readonly host: Record<string, unknown>
  readonly warnings: string[]
}

const OWN_SECTIONS: ReadonlySet<string> = new Set(['celery', 'lovage'])
const DICT_SECTION = /^(?:celery|lovage):(.+)$/
const BEAT_SECTION = /^celerybeat:(.+)$/
const ROUTE_SECTION = /^celeryroute:(.+)$/

/**
 * The options of a PasteDeploy ini file: `[app:main]`, then `[celery]` and `[lovage]` on top, `[celery:<option>]` for
 * objects, `[celerybeat:<name>]` for the schedule, `[celeryroutes]` for routes; `use = config:other.ini` lies below.
 *
 * Only names of the option table are read. All other keys of `[app:main]` stay the host's and are readable.
 *
 * @param path - The file; `#name` at its end reads `[app:name]`.
 * @throws {@link ConfigError} that names file and line.
 */
export function loadIni(path: string, env: Environment = process.env): LoadedSettings {
  const sections = readIniFile(path, { env })
  const source = basename(path)
  const collected: Collected = { source, values: new Map(), host: {}, warnings: [] }
  for (const name of [APP_SECTION, ...OWN_SECTIONS]) {
    const section = sections.get(name)
    if (section !== undefined) readKeys(section, collected)
  }
  for (const section of sections.values()) readSubSection(section, collected)
  addNamed(collected, sections, { option: 'beatSchedule', pattern: BEAT_SECTION, read: beatEntryOf })
  addNamed(collected, sections, { option: 'taskRoutes', pattern: ROUTE_SECTION, read: routeOf })
  return collected
}

function readKeys(section: EffectiveSection, collected: Collected): void {
  const names: SpelledName[] = []
  for (const entry of section.entries.values()) {
    const found = findOptionInIni(entry.key)
    if (found === undefined) {
      refuseCeleryConfig(entry)
      collected.host[entry.key] = hostText(entry)
      warnOfNearMiss(entry, section, collected)
    } else if (readKey(entry, found, { section, collected })) {
      names.push({ spelling: entry.key, found })
    }
  }
  refuseMixedSpellings(names, `[${section.name}] of ${collected.source}`)
}

/**
 * A switch of pyramid_celery: the settings are in the Python module `celeryconfig`, and those of the file count for nothing.
 *
 * @source pyramid_celery 4.0, `__init__.py`, `setup_app`.
 */
function refuseCeleryConfig(entry: IniEntry): void {
  if (entry.key.toUpperCase() !== 'USE_CELERYCONFIG' || switchFromText(hostText(entry)) === false) return
  throw new ConfigError(
    `${label(entry)} says that the settings are in a Python module, celeryconfig, which cannot be read here; ` +
      'write them into this file, or into a module that --config names, and take the line out',
  )
}

/** Whether the key was read as an option; a single common word that does not fit is the host's. */
function readKey(
  entry: IniEntry,
  found: FoundOption,
  { section, collected }: { readonly section: EffectiveSection; readonly collected: Collected },
): boolean {
  const name = label(entry)
  try {
    const value = valueFromText(found.option, entry.text(), name)
    if (found.style === 'any' && section.name === APP_SECTION) readOption(found.option, value, name)
    addValue(collected.values, found, { value, label: name })
    append(collected.warnings, deprecation(entry.key, found, name))
    return true
  } catch (error) {
    if (found.style !== 'any' || section.name !== APP_SECTION || !(error instanceof ConfigError)) throw error
    collected.host[entry.key] = hostText(entry)
    collected.warnings.push(
      `${name} is left to the host, because it does not fit the option ${found.name}; ` +
        `options of that name go into [lovage]`,
    )
    return false
  }
}

/** The host may have marks of its own in its values, so what cannot be interpolated stays as it is written. */
function hostText(entry: IniEntry): string {
  try {
    return entry.text()
  } catch (error) {
    if (error instanceof ConfigError) return entry.raw
    throw error
  }
}

function warnOfNearMiss(entry: IniEntry, section: EffectiveSection, { warnings }: Collected): void {
  const isOurs = section.name !== APP_SECTION
  const looksLikeOurs = /^(celery|broker|task|worker|result|beat)[_A-Z]|^[A-Z][A-Z0-9]*_/i.test(entry.key)
  if (entry.isDefault || entry.key.includes('.') || !(isOurs || looksLikeOurs)) return
  const near = nearestName(entry.key)
  if (near !== undefined) warnings.push(`${label(entry)} is no setting; did you mean ${near}?`)
}

function readSubSection(section: EffectiveSection, { values, warnings }: Collected): void {
  if (section.name === 'celeryroutes') {
    values.set('taskRoutes', { value: routesOf(section), label: '[celeryroutes]' })
    return
  }
  const key = DICT_SECTION.exec(section.name)?.[1]
  if (key === undefined) return
  const found = findOptionInIni(key === 'routes' || key === 'queues' ? `task_${key}` : key)
  if (found === undefined) {
    const near = nearestName(key)
    warnings.push(
      `the section [${section.name}] names no setting${near === undefined ? '' : `; did you mean ${near}?`}`,
    )
    return
  }
  values.set(found.name, { value: subSectionValue(section, found), label: `[${section.name}]` })
}

function subSectionValue(section: EffectiveSection, { name, option }: FoundOption): unknown {
  if (name === 'taskRoutes') return routesOf(section)
  if (name === 'taskQueues') return queuesOf(section)
  if (option.kind === 'dict' || option.kind === 'value') return dictOf(section)
  throw new ConfigError(
    `[${section.name}] is a section, and ${name} is no object; write it as a key of [celery]`,
  )
}

/** Sections that each add one member to an object option; they win over members that are there. */
function addNamed(
  { values }: Collected,
  sections: ReadonlyMap<string, EffectiveSection>,
  named: {
    readonly option: string
    readonly pattern: RegExp
    readonly read: (section: EffectiveSection) => unknown
  },
): void {
  const members: Record<string, unknown> = {}
  for (const section of sections.values()) {
    const name = named.pattern.exec(section.name)?.[1]
    if (name !== undefined) members[name.trim()] = named.read(section)
  }
  if (Object.keys(members).length === 0) return
  const before = values.get(named.option)?.value
  const value = typeof before === 'object' && before !== null ? { ...before, ...members } : members
  values.set(named.option, { value, label: named.option })
}

/** The keys that stand in the section itself. */
function ownEntries(section: EffectiveSection): readonly IniEntry[] {
  return [...section.entries.values()].filter((entry) => !entry.isDefault)
}

/** A section such as `[celery:broker_transport_options]` as an object; each value is JSON, a switch or text. */
function dictOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(ownEntries(section).map((entry) => [entry.key, guessedFromText(entry.text())]))
}

/** A section `[celeryroutes]` or `[celery:routes]`: task name or glob, and a queue name or a JSON object. */
function routesOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(ownEntries(section).map((entry) => [entry.key, queueOrJson(entry)]))
}

/**
 * A section `[celeryroute:task]` with `queue`, `routing_key` and the like.
 *
 * @source pyramid_celery 4.0, `loaders.py`, `get_route_config`.
 */
function routeOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ownEntries(section).map((entry) => {
      const key = camel(entry.key)
      return [key, key === 'priority' ? guessedFromText(entry.text()) : entry.text()]
    }),
  )
}

/** A section `[celery:queues]`: queue names, each with nothing or a JSON object of its members. */
function queuesOf(section: EffectiveSection): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    ownEntries(section).map((entry) => {
      const text = entry.text()
      return [entry.key, text === '' ? null : jsonFromText(text, label(entry))]
    }),
  )
}

function queueOrJson(entry: IniEntry): unknown {
  const text = entry.text()
  return text.startsWith('{') ? jsonFromText(text, label(entry)) : text
}
