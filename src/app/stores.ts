import type { ResultBackend } from '../backend/contract.js'
import { guardBackend } from '../backend/guard.js'
import type { BackendOptions, BackendRegistry, BackendFactory } from '../backend/registry.js'
import { parseConnectionUrl } from '../broker/connection-url.js'
import type { Broker } from '../broker/contract.js'
import type { FoundDriver } from '../broker/driver-table.js'
import { guardBroker } from '../broker/guard.js'
import type { BrokerDriver, BrokerOptions, BrokerRegistry } from '../broker/registry.js'
import { chooseBackend, chooseBroker } from '../config/backend-choice.js'
import type { Config } from '../config/config.js'
import { ConfigError } from '../errors/errors.js'
import type { Codecs } from '../message/codecs.js'
import { resultCompressor } from '../message/compression/compressed-result.js'
import { createResultCodec } from '../message/result-codec.js'
import type { TaskLogger } from '../task/logger.js'
import { embeddedPath } from '../util/package-folder.js'
import type { Clock } from '../util/clock.js'
import { maskUrl } from '../util/mask-url.js'
import type { PriorityLimit } from './routes.js'
import { loadExport } from './load-export.js'

/** Where a broker is, and how it is opened: enough for another thread to open it again. */
export interface BrokerLocation {
  /** The URL, or the object that was handed over. */
  readonly target: string | object
  readonly options: BrokerOptions
  /** For the banner and logs, password masked. */
  readonly shown: string
  /** Module that exports `createBroker`, where another thread can import it. */
  readonly moduleUrl: string | undefined
  /** Whether the scheme of the URL has a `+driver` suffix that the driver is not told of. */
  readonly dropsDriverSuffix: boolean
}

const openedAt = new WeakMap<Broker, BrokerLocation>()

/** Where a broker that {@link Stores} opened is: of a failover list the one that answered. */
export function locationOfOpened(broker: Broker): BrokerLocation | undefined {
  return openedAt.get(broker)
}

/** What opening stores needs of the app. */
export interface StoreHost {
  readonly brokers: BrokerRegistry
  readonly backends: BackendRegistry
  readonly clock: Clock
  readonly codecs: Codecs
  readonly logger: TaskLogger
  config(): Config
  /** Name the settings that nothing acts on, the first time. */
  warnOfInactiveSettings(): void
  /** Load the optional packages of the serializers that the settings name. */
  prepareCodecs(): Promise<void>
}

/** Opens brokers and backends as the configuration names them. */
export class Stores {
  readonly #app: StoreHost
  readonly #folder: string
  #lastTarget: string | object | undefined

  /** @param folder - Where the app is made: the embedded default lies beside its package. */
  constructor(app: StoreHost, folder: string) {
    this.#app = app
    this.#folder = folder
  }

  /** Every broker the configuration names, in the order of failover. */
  locations(config: Config): readonly BrokerLocation[] {
    return this.#targets(config).map((target) => this.#locate(target, config))
  }

  /** The first broker of the list. */
  location(config: Config): BrokerLocation {
    const [target = embeddedUrl(this.#folder)] = this.#targets(config)
    return this.#locate(target, config)
  }

  /** The backend as banners show it. */
  shownBackend(config: Config): string | undefined {
    const target = this.backendTarget(config)
    return target === undefined ? undefined : shownTarget(target)
  }

  /**
   * A connected broker: of a failover list the one that answered last, then the others in the order of
   * `brokerFailoverStrategy`.
   *
   * @param signal - Ends the attempt.
   * @throws the error of the last one that was tried.
   */
  async openBroker(signal: AbortSignal = new AbortController().signal): Promise<Broker> {
    await this.#app.prepareCodecs()
    const config = this.#app.config()
    this.#app.warnOfInactiveSettings()
    let failure: unknown
    for (const location of this.#inOrder(this.locations(config), config.brokerFailoverStrategy)) {
      const opened = await this.#app.brokers.open(location.target, location.options)
      const broker = guardBroker(opened, {
        publishTimeoutMs: config.publishTimeoutMs,
        connectTimeoutMs: config.brokerConnectionTimeoutMs,
        clock: this.#app.clock,
      })
      try {
        await broker.connect(signal)
        this.#lastTarget = location.target
        openedAt.set(broker, location)
        return broker
      } catch (error) {
        failure = error
        await closeQuietly(broker)
        if (signal.aborted) break
      }
    }
    throw failure
  }

  #inOrder(
    locations: readonly BrokerLocation[],
    strategy: Config['brokerFailoverStrategy'],
  ): readonly BrokerLocation[] {
    if (typeof strategy === 'function') return orderedBy(strategy, locations)
    if (strategy === 'shuffle')
      return locations
        .map((one) => ({ one, at: Math.random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one)
    const start = Math.max(
      0,
      locations.findIndex(({ target }) => target === this.#lastTarget),
    )
    return [...locations.slice(start), ...locations.slice(0, start)]
  }

  /** A connected backend; `undefined` where results are switched off or the broker cannot hold them. */
  async openBackend(): Promise<ResultBackend | undefined> {
    await this.#app.prepareCodecs()
    const config = this.#app.config()
    this.#app.warnOfInactiveSettings()
    const target = this.backendTarget(config)
    return target === undefined ? undefined : this.openBackendAt(target)
  }

  /** A connected backend that need not be the app's own. */
  async openBackendAt(target: string | object): Promise<ResultBackend> {
    await this.#app.prepareCodecs()
    const config = this.#app.config()
    const { codecs } = this.#app
    const content = codecs.serializers.accept(config.resultAcceptContent)
    const { resultCompression } = config
    const compress =
      resultCompression === undefined
        ? undefined
        : resultCompressor(codecs.compressors.get(resultCompression))
    const isBrokers = this.#targets(config).includes(target)
    const opened = await this.#makeBackend(target, config, {
      codec: createResultCodec(config.resultSerializer, codecs, content),
      ...(compress === undefined ? {} : { compress }),
      transportOptions: {
        ...(isBrokers && brokerTlsOf(config, target)),
        ...settingsFor(this.#app.backends.lookUp(target), config),
        ...config.resultBackendTransportOptions,
      },
      openBroker: (signal) => this.openBroker(signal),
      autoMigrate: config.databaseAutoMigrate && typeof target === 'string',
      clock: this.#app.clock,
    })
    if (compress !== undefined && opened.compresses !== true)
      this.#app.logger.warn({ backend: opened.name }, uncompressedText(opened.name))
    const backend = guardBackend(opened)
    await backend.connect(new AbortController().signal)
    return backend
  }

  async #makeBackend(
    target: string | object,
    config: Config,
    options: BackendOptions,
  ): Promise<ResultBackend> {
    const override =
      typeof target === 'string' ? await overriddenBackend(config.overrideBackends, target) : undefined
    return override === undefined || typeof target !== 'string'
      ? this.#app.backends.open(target, options)
      : override(parseConnectionUrl(target), options)
  }

  /** URL or object of the backend; `undefined` where there is none. */
  backendTarget(config: Config): string | object | undefined {
    const choice = chooseBackend(config)
    switch (choice.kind) {
      case 'target':
        return choice.target
      case 'same-store': {
        const [target] = this.#targets(config)
        return this.#noResults(target) === undefined ? target : undefined
      }
      case 'off':
        return undefined
    }
  }

  /** Whether results end and the backend does not delete them without being asked to. */
  needsResultCleanup(config: Config): boolean {
    const target = this.backendTarget(config)
    if (target === undefined || config.resultExpiresMs === 0) return false
    const isOverridden =
      typeof target === 'string' && overrideOf(config.overrideBackends, target) !== undefined
    return (
      !isOverridden &&
      !('store' in Object(target)) &&
      this.#app.backends.find(target).entry.supportsAutoexpire === false
    )
  }

  /** Why there is no backend. */
  noBackend(config: Config): ConfigError {
    const off = 'results are switched off by `backend: false`; set backend to the URL of a store'
    if (chooseBackend(config).kind === 'off') return new ConfigError(off)
    const { because = '', use = '' } = this.#noResults(this.#targets(config)[0]) ?? {}
    return new ConfigError(`no result backend is configured, and ${because}; set backend to ${use}`)
  }

  #noResults(target: string | object | undefined): BrokerDriver['noResults'] {
    return typeof target === 'string' ? this.#app.brokers.lookUp(target)?.entry.noResults : undefined
  }

  /** The largest priority that one of the brokers has; 0 where one of them has none. An object of the application's has a byte. */
  priorityLimit(): PriorityLimit {
    const limits = this.#targets(this.#app.config()).map((target): PriorityLimit => {
      if (typeof target !== 'string') return { most: 255, broker: '' }
      const entry = this.#app.brokers.lookUp(target)?.entry
      return { most: entry?.mostPriority ?? 9, broker: entry?.schemes[0] ?? '' }
    })
    const [least = { most: 255, broker: '' }, ...others] = limits.sort((one, other) => one.most - other.most)
    return least.most === 0 ? least : (others.at(-1) ?? least)
  }

  #targets(config: Config): readonly (string | object)[] {
    const choice = chooseBroker(config)
    if (choice.kind === 'embedded') return [embeddedUrl(this.#folder)]
    return choice.kind === 'urls' ? choice.urls : [choice.instance]
  }

  #locate(target: string | object, config: Config): BrokerLocation {
    const found = this.#app.brokers.find(target)
    const options: BrokerOptions = {
      transportOptions: {
        ...(typeof target === 'string' && settingsFor(found, config)),
        ...brokerTlsOf(config, target),
        ...config.brokerTransportOptions,
      },
      autoMigrate: config.databaseAutoMigrate && typeof target === 'string',
      clock: this.#app.clock,
    }
    const shown = shownTarget(target)
    const { moduleUrl, acceptsDriverSuffix, schemes } = found.entry
    if (typeof target !== 'string')
      return { target, options, shown, moduleUrl: undefined, dropsDriverSuffix: false }
    const dropsDriverSuffix =
      acceptsDriverSuffix === true && !schemes.some((scheme) => target.startsWith(`${scheme}:`))
    return { target, options, shown, moduleUrl, dropsDriverSuffix }
  }
}

/** @throws {@link ConfigError} when nothing is left to try, or something else than the broker's URLs. */
function orderedBy(
  order: Exclude<Config['brokerFailoverStrategy'], string>,
  locations: readonly BrokerLocation[],
): readonly BrokerLocation[] {
  const urls = locations.flatMap(({ target }) => (typeof target === 'string' ? [target] : []))
  if (urls.length === 0) return locations
  const chosen = [...order(urls)].map((url) => locations.find(({ target }) => target === url))
  const found = chosen.filter((location) => location !== undefined)
  if (found.length > 0 && found.length === chosen.length) return found
  throw new ConfigError(
    'expected brokerFailoverStrategy to give URLs of the broker, in the order to try them',
  )
}

/** What made the connect fail is thrown already. */
async function closeQuietly(broker: Broker): Promise<void> {
  try {
    await broker.close()
  } catch {
    // As above.
  }
}

function shownTarget(target: string | object): string {
  return typeof target === 'string' ? maskUrl(target) : `an object (${target.constructor.name})`
}

/** What the driver takes of the settings as its options. */
function settingsFor<Module>(
  found: FoundDriver<Module> | undefined,
  config: Config,
): Readonly<Record<string, unknown>> {
  return found?.entry.settings?.(config, found.url) ?? {}
}

/**
 * TLS that is asked for beside the URL: a driver that has none refuses it.
 *
 * @throws {@link ConfigError} where it is asked for and switched off, or nothing can act on it.
 */
function brokerTlsOf(
  { brokerUseSsl, brokerTransportOptions: options }: Config,
  target: string | object,
): Readonly<Record<string, unknown>> {
  const single = Object.entries(options).filter(([name]) => /^(ssl|tls)/.test(name))
  if (brokerUseSsl === false) return Object.fromEntries(single)
  if (typeof target !== 'string')
    throw new ConfigError('brokerUseSsl cannot act on a connection that the application hands over')
  if (options['ssl'] !== undefined && !options['ssl'])
    throw new ConfigError(
      'brokerUseSsl asks for TLS, and ssl of brokerTransportOptions switches it off; drop one',
    )
  return { ssl: brokerUseSsl, ...Object.fromEntries(single) }
}

/** What is said of a backend that cannot do what `resultCompression` asks. */
function uncompressedText(name: string): string {
  return `resultCompression has no effect: the backend "${name}" keeps results as they are`
}

/** URL of the embedded default: `.lovage/queue.sqlite` beside the nearest `package.json` above this folder. */
export function embeddedUrl(startFolder: string): string {
  const path = embeddedPath(startFolder, process.cwd())
  // What would end the path of a URL, or be read as an escape.
  return `sqlite:///${path.replace(/[%?#]/g, encodeURIComponent)}`
}

/**
 * What opens a backend instead of a built-in driver, as `overrideBackends` says for its scheme, or for the part of the
 * scheme before a `+`.
 *
 * @returns `undefined` where nothing is said.
 * @throws {@link ConfigError} for a module that does not load or has no such function.
 */
async function overriddenBackend(
  overrides: Readonly<Record<string, unknown>>,
  url: string,
): Promise<BackendFactory | undefined> {
  const { scheme } = parseConnectionUrl(url)
  const setting = overrideOf(overrides, url)
  if (setting === undefined) return undefined
  const found = typeof setting === 'string' ? await loadExport(setting) : setting
  const factory: unknown =
    typeof found === 'object' && found !== null && 'createBackend' in found ? found.createBackend : found
  if (isFactory(factory)) return factory
  throw new ConfigError(
    `expected overrideBackends of "${scheme}" to be a function (url, options) => backend, an object with createBackend ` +
      `or a module that exports it, got: ${typeof setting === 'string' ? setting : typeof setting}`,
  )
}

/** What `overrideBackends` says for a URL; `undefined` where it says nothing. */
function overrideOf(overrides: Readonly<Record<string, unknown>>, url: string): unknown {
  const { scheme } = parseConnectionUrl(url)
  return overrides[scheme] ?? overrides[scheme.split('+')[0] ?? scheme]
}

function isFactory(value: unknown): value is BackendFactory {
  return typeof value === 'function'
}
