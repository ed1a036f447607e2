import type { Config } from '../config/config.js'
import { ConfigError, DriverMissingError } from '../errors/errors.js'
import { adviceOn } from '../util/suggest.js'
import { parseConnectionUrl, withoutDriverSuffix } from './connection-url.js'
import type { ConnectionUrl } from './connection-url.js'

/** One driver, as a registry knows it before anything of it is loaded. */
export interface DriverEntry<Module> {
  /** URL schemes served, without `://`. */
  readonly schemes: readonly string[]
  /** The optional peer package the driver imports, if any. */
  readonly packageName?: string
  /** Whether a `+driver` suffix of these schemes is read and left to the driver: `postgresql+psycopg2`. */
  readonly acceptsDriverSuffix?: boolean
  /** URL text of the module that `load` imports, for another thread to import; without it the driver stays here. */
  readonly moduleUrl?: string
  /** Whether this is an object of the application that the driver works on, as a Knex instance. */
  readonly accepts?: (target: object) => boolean
  /** What of the settings becomes an option of the driver; what a user writes as its options wins over that. */
  readonly settings?: (config: Config, url: ConnectionUrl) => Readonly<Record<string, unknown>>
  /** Import the driver. */
  load(): Promise<Module>
}

/** A driver found for a URL or an object, not loaded yet. */
export interface FoundDriver<Module, Entry extends DriverEntry<Module> = DriverEntry<Module>> {
  readonly entry: Entry
  /** For an object: the first scheme of its driver, and nothing else. */
  readonly url: ConnectionUrl
}

/** Drivers by URL scheme. Registering loads nothing. */
export class DriverTable<Module, Entry extends DriverEntry<Module> = DriverEntry<Module>> {
  readonly #kind: 'broker' | 'backend'
  readonly #entries = new Map<string, Entry>()

  constructor(kind: 'broker' | 'backend') {
    this.#kind = kind
  }

  /** Schemes served, in the order they were registered. */
  get schemes(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** Add a driver; a scheme that is there already goes to the newcomer. */
  register(entry: Entry): void {
    for (const scheme of entry.schemes) this.#entries.set(scheme.toLowerCase(), entry)
  }

  /** The driver that serves `target`. @throws {@link ConfigError} when there is none. */
  find(target: string | object): FoundDriver<Module, Entry> {
    const found = this.lookUp(target)
    if (found !== undefined) return found
    if (typeof target === 'string') throw this.#unknown(parseConnectionUrl(target).scheme)
    throw new ConfigError(`expected ${this.#kind} to be a URL, a Knex instance or a ${this.#kind} object`)
  }

  /** The driver that serves `target`; `undefined` where there is none. */
  lookUp(target: string | object): FoundDriver<Module, Entry> | undefined {
    return typeof target === 'string' ? this.#findByUrl(target) : this.#findByObject(target)
  }

  #findByUrl(text: string): FoundDriver<Module, Entry> | undefined {
    const url = parseConnectionUrl(text)
    const exact = this.#entries.get(url.scheme)
    if (exact !== undefined) return { entry: exact, url }
    const stripped = withoutDriverSuffix(url)
    const entry = stripped === undefined ? undefined : this.#entries.get(stripped.scheme)
    if (stripped === undefined || entry?.acceptsDriverSuffix !== true) return undefined
    return { entry, url: stripped }
  }

  #findByObject(target: object): FoundDriver<Module, Entry> | undefined {
    for (const entry of new Set(this.#entries.values())) {
      if (entry.accepts?.(target) === true) {
        return { entry, url: parseConnectionUrl(entry.schemes[0] ?? this.#kind) }
      }
    }
    return undefined
  }

  #unknown(scheme: string): ConfigError {
    if (scheme === 'django' || scheme === 'django+db') return djangoError(this.#kind)
    const advice = adviceOn(scheme, this.#entries.keys(), this.schemes)
    return new ConfigError(`no ${this.#kind} serves the scheme "${scheme}"; ${advice}`)
  }
}

/** Import a driver. @throws {@link DriverMissingError} when exactly the package it needs is not installed. */
export async function loadDriver<Module>(found: FoundDriver<Module>): Promise<Module> {
  const { packageName } = found.entry
  try {
    return await found.entry.load()
  } catch (cause) {
    if (packageName !== undefined && isMissing(cause, packageName)) {
      throw new DriverMissingError(found.url.scheme, packageName, { cause })
    }
    throw cause
  }
}

function isMissing(cause: unknown, packageName: string): boolean {
  if (!(cause instanceof Error) || !('code' in cause)) return false
  const notFound = cause.code === 'ERR_MODULE_NOT_FOUND' || cause.code === 'MODULE_NOT_FOUND'
  return notFound && cause.message.includes(`'${packageName}'`)
}

function djangoError(kind: string): ConfigError {
  return new ConfigError(
    `"django://" is the application's own database: hand over its Knex instance, new Lovage('shop', { ${kind}: knex })`,
  )
}
