import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { ConfigError } from '../../../errors/errors.js'
import type { Environment } from '../environment.js'
import { type IniSection, parseIni } from './parse-ini.js'

/** A key of a section with its value interpolated on demand: logging sections hold `%(…)s` that mean something else. */
export interface IniEntry {
  readonly key: string
  /** File and line, for errors. */
  readonly place: string
  /** The full path of the file. */
  readonly file: string
  /** Whether it stands in `[DEFAULT]`. */
  readonly isDefault: boolean
  /** The value as it is written. */
  readonly raw: string
  /** The value, interpolated. */
  text(): string
}

/** One section of a file, the files it uses included; a key of the nearer file wins. */
export interface EffectiveSection {
  readonly name: string
  readonly entries: ReadonlyMap<string, IniEntry>
}

/** Reads files; the parts a test replaces. */
export interface IniReading {
  readonly env: Environment
}

/** The name of the section that holds the application's own keys, once all files are merged. */
export const APP_SECTION = 'app:main'

/**
 * The sections of an ini file on top of those of the files that it names by `use = config:…`.
 *
 * @param path - The file, with `#name` for `[app:name]` in place of `[app:main]`.
 * @throws {@link ConfigError} when a file cannot be read or files use each other in a circle.
 */
export function readIniFile(path: string, reading: IniReading): ReadonlyMap<string, EffectiveSection> {
  return readChain(fileOf(path, process.cwd()), sectionOf(path), { ...reading, chain: [], outer: new Map() })
}

interface Chain extends IniReading {
  readonly chain: readonly string[]
  /** `[DEFAULT]` of the files that use this one: for keys that this one lacks. */
  readonly outer: IniSection
}

function readChain(
  file: string,
  app: string | undefined,
  chain: Chain,
): ReadonlyMap<string, EffectiveSection> {
  if (chain.chain.includes(file)) {
    throw new ConfigError(`ini files use each other in a circle: ${[...chain.chain, file].join(' -> ')}`)
  }
  const raw = parseIni(readText(file), basename(file))
  const defaults: IniSection = new Map([...chain.outer, ...(raw.get('DEFAULT') ?? [])])
  const appSection = appSectionName(raw, app)
  const entries = (name: string): ReadonlyMap<string, IniEntry> =>
    entriesOf(raw.get(name) ?? new Map(), defaults, { file, env: chain.env })
  const used = usedFile(entries(appSection).get('use')?.text(), file)
  const inner: Chain = { ...chain, chain: [...chain.chain, file], outer: defaults }
  const merged = new Map<string, EffectiveSection>(
    used === undefined ? [] : readChain(used.file, used.app, inner),
  )
  for (const name of new Set([appSection, ...raw.keys()])) {
    // Another application was asked for, so this one is a stranger.
    const isOther = name === APP_SECTION && appSection !== APP_SECTION
    if (name === 'DEFAULT' || isOther) continue
    const effective = name === appSection ? APP_SECTION : name
    merged.set(effective, onTop(merged.get(effective), entries(name), effective))
  }
  return merged
}

function onTop(
  below: EffectiveSection | undefined,
  entries: ReadonlyMap<string, IniEntry>,
  name: string,
): EffectiveSection {
  const merged = new Map(below?.entries)
  for (const [key, entry] of entries) if (!entry.isDefault || !merged.has(key)) merged.set(key, entry)
  return { name, entries: merged }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`cannot read the ini file "${file}"`, { cause })
  }
}

/** `[app:name]`, else `[app:main]`, else the application at the end of `[pipeline:main]`, else the only one. */
function appSectionName(raw: ReadonlyMap<string, IniSection>, app: string | undefined): string {
  if (app !== undefined) {
    for (const name of [`app:${app}`, `application:${app}`, app]) if (raw.has(name)) return name
    throw new ConfigError(`the ini file has no section [app:${app}]; it has ${[...raw.keys()].join(', ')}`)
  }
  if (raw.has(APP_SECTION)) return APP_SECTION
  const piped = raw.get('pipeline:main')?.get('pipeline')?.text.split(/\s+/).at(-1)
  if (piped !== undefined && raw.has(`app:${piped}`)) return `app:${piped}`
  const apps = [...raw.keys()].filter((name) => name.startsWith('app:'))
  return apps.length === 1 ? (apps[0] ?? APP_SECTION) : APP_SECTION
}

function usedFile(
  use: string | undefined,
  file: string,
): { file: string; app: string | undefined } | undefined {
  if (use?.startsWith('config:') !== true) return undefined
  return { file: fileOf(use, dirname(file)), app: sectionOf(use) }
}

function fileOf(path: string, folder: string): string {
  return resolve(folder, path.replace(/^config:/, '').replace(/#[^#/\\]*$/, ''))
}

function sectionOf(path: string): string | undefined {
  return /#([^#/\\]+)$/.exec(path)?.[1]
}

function entriesOf(
  section: IniSection,
  defaults: IniSection,
  { file, env }: { readonly file: string; readonly env: Environment },
): ReadonlyMap<string, IniEntry> {
  const own = new Map([...defaults, ...section])
  const builtIn = new Map([
    ['here', dirname(file)],
    ['__file__', file],
  ])
  const lookup = (key: string): string | undefined => own.get(key)?.text ?? builtIn.get(key)
  const entries = new Map<string, IniEntry>()
  for (const [written, value] of own) {
    const key = written.replace(/^set\s+/, '')
    const place = `${value.file}:${value.line}`
    const isDefault = !section.has(written)
    entries.set(key, {
      key,
      place,
      file,
      isDefault,
      raw: value.text,
      text: () => interpolate(value.text, { lookup, env, place }),
    })
  }
  return entries
}

/** Where `%(key)s` and `${VARIABLE}` are looked up. */
interface InterpolationScope {
  /** The raw text of a key in the section, its defaults, `here` and `__file__`. */
  readonly lookup: (key: string) => string | undefined
  readonly env: Environment
  /** File and line, for errors. */
  readonly place: string
}

const DEEPEST = 10

/**
 * A value with `%(key)s` replaced by other values, `%%` by a per cent sign and `${VARIABLE}` by the environment
 * (`${VARIABLE:-text}` for text where it is not set). A lone per cent sign stays, as URLs have them.
 *
 * @source Python 3, `configparser.py`, `BasicInterpolation`; PasteDeploy, `loadwsgi.py`, `NicerConfigParser`.
 * @throws {@link ConfigError} when a key or variable is missing, or values name each other in a circle.
 */
function interpolate(text: string, scope: InterpolationScope, depth = 0): string {
  if (depth > DEEPEST) throw new ConfigError(`${scope.place}: %(…)s names itself, directly or in a circle`)
  return text.replace(
    /%%|%\(([^)]+)\)s|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g,
    (match, key?: string, variable?: string, fallback?: string) => {
      if (key !== undefined) return interpolate(keyText(key, scope), scope, depth + 1)
      if (variable !== undefined) return variableText(variable, fallback, scope)
      return match === '%%' ? '%' : match
    },
  )
}

function keyText(key: string, { lookup, place }: InterpolationScope): string {
  const text = lookup(key) ?? lookup(key.toLowerCase())
  if (text !== undefined) return text
  throw new ConfigError(`${place}: %(${key})s names a key that is neither in the section nor in [DEFAULT]`)
}

function variableText(
  variable: string,
  fallback: string | undefined,
  { env, place }: InterpolationScope,
): string {
  const text = env[variable] ?? fallback
  if (text !== undefined) return text
  throw new ConfigError(`${place}: the environment has no variable ${variable}`)
}
