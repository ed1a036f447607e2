import type { ConnectionUrl } from '../broker/connection-url.js'
import { DriverTable, loadDriver } from '../broker/driver-table.js'
import type { DriverEntry, FoundDriver } from '../broker/driver-table.js'
import type { ResultCompressor } from '../message/compression/compressed-result.js'
import type { Broker } from '../broker/contract.js'
import type { Clock } from '../util/clock.js'
import type { ResultBackend, ResultCodec } from './contract.js'

/** What a backend driver is opened with, beside its URL. */
export interface BackendOptions {
  /** Writes and reads values in the configured result serializer. */
  readonly codec: ResultCodec
  /**
   * Set when `resultCompression` asks for it; a driver whose store can hold the bytes uses it and says so in
   * `compresses`.
   */
  readonly compress?: ResultCompressor
  /** `resultBackendTransportOptions` as the user wrote them; options in the URL's query win over them. */
  readonly transportOptions?: Readonly<Record<string, unknown>>
  /**
   * Whether a store with a schema makes and extends its tables at `connect`.
   *
   * @defaultValue `true`; `false` on a database handle that the application handed over
   */
  readonly autoMigrate?: boolean
  /** Time source of stores that live in this process; a store with a clock of its own uses that. */
  readonly clock?: Clock
  /** The object that was given in place of a URL, as a Knex instance. */
  readonly target?: object
  /** Opens a connected broker of the application's own, for a backend that sends results as messages; `signal` gives up. */
  readonly openBroker?: (signal?: AbortSignal) => Promise<Broker>
}

/** Makes a backend that is not connected yet; throws `ConfigError` for options it does not know. */
export type BackendFactory = (url: ConnectionUrl, options: BackendOptions) => ResultBackend

/** What a backend driver's module exports. */
export interface BackendModule {
  readonly createBackend: BackendFactory
}

/** A backend driver as it is registered. */
export interface BackendDriver extends DriverEntry<BackendModule> {
  /**
   * Whether expired results go without `cleanup`. Where they do not, beat sends `celery.backend_cleanup` once a day.
   *
   * @defaultValue `true`
   * @source Celery 5.7, `celery/backends/base.py`, `Backend.supports_autoexpire`.
   */
  readonly supportsAutoexpire?: boolean
}

/** Backend drivers by URL scheme. Registering loads nothing; a driver is imported when it is first opened. */
export class BackendRegistry {
  readonly #table = new DriverTable<BackendModule, BackendDriver>('backend')

  /** Schemes that can be opened. */
  get schemes(): readonly string[] {
    return this.#table.schemes
  }

  /** Add a driver; a scheme that is served already goes to the newcomer. */
  register(driver: BackendDriver): this {
    this.#table.register(driver)
    return this
  }

  /** The driver a URL or object belongs to, not loaded. @throws `ConfigError` for an unknown scheme. */
  find(target: string | object): FoundDriver<BackendModule, BackendDriver> {
    return this.#table.find(target)
  }

  /** The same; `undefined` for what no driver serves. */
  lookUp(target: string | object): FoundDriver<BackendModule, BackendDriver> | undefined {
    return this.#table.lookUp(target)
  }

  /**
   * A backend, not connected yet.
   *
   * @param target - A URL, one server only; a Knex instance; or a backend object, which is returned as it is.
   * @throws `ConfigError` for an unknown scheme, `DriverMissingError` when the driver's package is not installed.
   */
  async open(target: string | object, options: BackendOptions): Promise<ResultBackend> {
    if (isBackend(target)) return target
    const found = this.find(target)
    const { createBackend } = await loadDriver(found)
    return createBackend(found.url, typeof target === 'string' ? options : { ...options, target })
  }
}

function isBackend(target: string | object): target is ResultBackend {
  return typeof target === 'object' && 'store' in target && 'load' in target && 'forget' in target
}
