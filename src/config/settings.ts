import type { Config, ConfigInput } from './config.js'
import { type Environment, settingsFromEnvironment } from './source/environment.js'
import { settingsFromObject } from './source/from-object.js'
import type { LoadedSettings, WrittenValue } from './source/loaded-settings.js'
import { findOption } from './option/option-names.js'
import { OPTIONS } from './option/option-table.js'
import { resolveWritten } from './resolve.js'
import { printed, isList } from '../util/shown.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { ConfigError } from '../errors/errors.js'
import { MASK, isSecretName, maskMembers } from '../util/mask-members.js'
import { maskUrl } from '../util/mask-url.js'
import { splitUrls } from '../util/url-list.js'

/** How settings are printed. */
export interface PrintOptions {
  /**
   * Print options that nobody set, too.
   *
   * @defaultValue `false`
   */
  readonly withDefaults?: boolean
  /**
   * Mask secrets and passwords of URLs.
   *
   * @defaultValue `true`
   */
  readonly censored?: boolean
}

/** What else settings are made from. */
export interface SettingsOptions {
  /**
   * The variables that go over every source.
   *
   * @defaultValue those of the process
   */
  readonly env?: Environment
  /** Reads the source that stands in until another one is set; asked once, when a setting is needed. */
  readonly findSource?: () => LoadedSettings | undefined
  /** Called after each change: what {@link Settings.resolve} gave before holds no longer. */
  readonly changed?: () => void
}

const PRINT_OPTIONS = { withDefaults: true, censored: true } satisfies KnownMembers<PrintOptions>

type Layer = ReadonlyMap<string, WrittenValue>

const NOTHING: Layer = new Map()

/** The options as members in camelCase, with types; the other spellings and the host's own keys by name. */
type SettingMembers = { -readonly [Name in keyof ConfigInput]: ConfigInput[Name] } & Record<string, unknown>

/** What a class has to offer for its settings to be members. */
interface MemberStore {
  get(name: string): unknown
  has(name: string): boolean
  set(name: string, value: unknown): void
}

/** Members that the class does not have go to its `get`, `has` and `set`. */
const HANDLER: ProxyHandler<object> = {
  get(target, key, receiver): unknown {
    if (key in target || typeof key !== 'string' || !isStore(target))
      return Reflect.get(target, key, receiver)
    return isStore(receiver) ? receiver.get(key) : undefined
  },
  has(target, key): boolean {
    return key in target
  },
  set(target, key, value: unknown, receiver): boolean {
    if (typeof key !== 'string' || key in target) throw new ConfigError(`"${String(key)}" cannot be set`)
    if (isStore(receiver)) receiver.set(key, value)
    return true
  },
}

function isStore(value: unknown): value is MemberStore {
  return typeof value === 'object' && value !== null && 'get' in value && 'has' in value && 'set' in value
}

/** An object whose unknown members are settings: the constructor hands the proxy out, and private fields go to it. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- what is given out is the proxy
class MemberProxy {
  constructor() {
    return new Proxy(this, HANDLER)
  }
}

function hasSettings(base: unknown): base is new () => SettingMembers {
  return base === MemberProxy
}

function memberBase(base: unknown): new () => SettingMembers {
  if (hasSettings(base)) return base
  throw new ConfigError('the settings have no members')
}

/** Base of a class whose options are members; the class has `get`, `has` and `set`. */
const SettingMembers: new () => SettingMembers = memberBase(MemberProxy)

/**
 * The settings of an app: every option is a member, under each of its names, and so is every key of the host's.
 *
 * They lie in layers: run-time change, environment, loaded source, options given in code, defaults that were added,
 * built-in default. A higher layer wins, option by option.
 *
 * @example
 * ```ts
 * app.conf.taskAcksLate = false
 * app.conf['task_acks_late'] // false
 * app.conf['sqlalchemy.url'] // a key of the ini file that is no option
 * ```
 */
export class Settings extends SettingMembers {
  readonly #preset: LoadedSettings
  readonly #env: Environment | undefined
  readonly #ownKeys = new Map<string, unknown>()
  #environment: LoadedSettings | undefined
  #source: LoadedSettings | undefined
  #findSource: (() => LoadedSettings | undefined) | undefined
  #changes: Layer = NOTHING
  #defaults: Layer = NOTHING
  #changeWarnings: readonly string[] = []
  #resolved: Config | undefined
  readonly #changed: (() => void) | undefined

  /**
   * @param preset - Options given in code, in any spelling; a source that is loaded later goes over them.
   * @throws {@link ConfigError} for an unknown name, or old and new names side by side.
   */
  constructor(preset: ConfigInput = {}, options: SettingsOptions = {}) {
    super()
    this.#preset = settingsFromObject(preset, { source: 'the options of the app' })
    this.#env = options.env
    this.#findSource = options.findSource
    this.#changed = options.changed
  }

  /** The value of an option in any spelling, as it was written, or its default; or one of the host's own keys. */
  get(name: string): unknown {
    const found = findOption(name)
    return found === undefined ? this.#hostValue(name) : this.#valueOf(found.name)
  }

  /** Whether someone set the option, or the host has such a key. */
  has(name: string): boolean {
    const found = findOption(name)
    return found === undefined ? this.#hostHas(name) : this.#written(found.name) !== undefined
  }

  /**
   * Change one option at run time, under any of its names. A name with a dot is a key of the host's.
   *
   * @throws {@link ConfigError} when the name is unknown; the value is checked by {@link resolve}.
   */
  set(name: string, value: unknown): void {
    if (findOption(name) === undefined && name.includes('.')) this.#ownKeys.set(name, value)
    else this.update({ [name]: value })
  }

  /** Change several options at run time. `undefined` takes an earlier change back. */
  update(values: ConfigInput | Readonly<Record<string, unknown>>): void {
    const loaded = settingsFromObject(values, { source: 'the update' })
    const changes = new Map(this.#changes)
    for (const [spelling, value] of Object.entries(values)) {
      const name = findOption(spelling)?.name
      if (value === undefined && name !== undefined) changes.delete(name)
    }
    for (const [name, written] of loaded.values) changes.set(name, written)
    this.#changes = changes
    this.#changeWarnings = [...this.#changeWarnings, ...loaded.warnings]
    this.#forgetResolved()
  }

  /** Take the options of a source; they replace those of an earlier source and all changes made at run time. */
  setSource(source: LoadedSettings): void {
    this.#source = source
    this.#findSource = undefined
    this.#changes = NOTHING
    this.#forgetResolved()
  }

  /** Defaults below every source, for libraries; later ones win over earlier ones. */
  addDefaults(values: ConfigInput | Readonly<Record<string, unknown>>): void {
    const loaded = settingsFromObject(values, { source: 'the added defaults' })
    this.#defaults = new Map([...this.#defaults, ...loaded.values])
    this.#forgetResolved()
  }

  /**
   * Every option checked and resolved. The same object until a setting changes.
   *
   * @throws {@link ConfigError} when a value does not fit, or values do not go together.
   */
  resolve(): Config {
    this.#resolved ??= resolveWritten(this.#merged())
    return this.#resolved
  }

  /** What the sources warned of: near misses, deprecated names, keys left to the host. */
  warnings(): readonly string[] {
    const loaded = [this.#fromEnvironment(), this.#loadedSource(), this.#preset]
    return [...new Set([...loaded.flatMap((layer) => layer?.warnings ?? []), ...this.#changeWarnings])]
  }

  /** The settings by camelCase name, as they may be printed. */
  table(options: PrintOptions = {}): Readonly<Record<string, unknown>> {
    refuseUnknown(options, PRINT_OPTIONS, 'printing settings')
    const { withDefaults = false, censored = true } = options
    const table: Record<string, unknown> = {}
    for (const name of OPTIONS.keys()) {
      if (!withDefaults && this.#written(name) === undefined) continue
      const value = this.#valueOf(name)
      table[name] = censored ? maskSetting(name, value) : value
    }
    return table
  }

  /** The settings as text, one on a line. */
  humanize(options: PrintOptions = {}): string {
    return Object.entries(this.table(options))
      .map(([name, value]) => `${name}: ${asText(value)}`)
      .join('\n')
  }

  #forgetResolved(): void {
    this.#resolved = undefined
    this.#changed?.()
  }

  /** Read late: an app is made before a program has set what it sets. */
  #fromEnvironment(): LoadedSettings {
    this.#environment ??= settingsFromEnvironment(this.#env)
    return this.#environment
  }

  #loadedSource(): LoadedSettings | undefined {
    if (this.#findSource !== undefined) {
      this.#source = this.#findSource()
      this.#findSource = undefined
    }
    return this.#source
  }

  #layers(): readonly Layer[] {
    return [
      this.#changes,
      this.#fromEnvironment().values,
      this.#loadedSource()?.values ?? NOTHING,
      this.#preset.values,
      this.#defaults,
    ]
  }

  #written(name: string): WrittenValue | undefined {
    for (const layer of this.#layers()) {
      const written = layer.get(name)
      if (written !== undefined) return written
    }
    return undefined
  }

  #merged(): Layer {
    return new Map([...this.#layers()].reverse().flatMap((layer) => [...layer]))
  }

  #valueOf(name: string): unknown {
    const written = this.#written(name)
    if (written !== undefined) return written.value
    const option = OPTIONS.get(name)
    if (option?.default !== undefined) return option.default
    if (option?.sameAs !== undefined) return this.#valueOf(option.sameAs)
    return option?.derive?.((other) => this.#valueOf(other))
  }

  #hostHas(name: string): boolean {
    return this.#ownKeys.has(name) || Object.hasOwn(this.#loadedSource()?.host ?? {}, name)
  }

  #hostValue(name: string): unknown {
    if (this.#ownKeys.has(name)) return this.#ownKeys.get(name)
    return this.#hostHas(name) ? this.#loadedSource()?.host[name] : undefined
  }
}

function asText(value: unknown): string {
  if (value === undefined) return 'not set'
  return typeof value === 'string' ? value : printed(value)
}

/**
 * A setting as it may be printed: secrets replaced, passwords of URLs masked, also inside of objects and lists.
 *
 * Switches are shown whatever their name, and so are numbers of options that are not secret.
 */
function maskSetting(name: string, value: unknown): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value
  const option = OPTIONS.get(name)
  if (option?.secret === true) return MASK
  if (option !== undefined && typeof value === 'number') return value
  if (option?.url === true) return isList(value) ? value.map(maskedUrl) : maskedUrl(value)
  return isSecretName(name) ? MASK : maskMembers(value)
}

function maskedUrl(value: unknown): unknown {
  return typeof value === 'string' ? splitUrls(value).map(maskUrl).join(';') : maskMembers(value)
}
