import type { Clock } from '../util/clock.js'
import type { ConnectionUrl } from './connection-url.js'
import type { Broker } from './contract.js'
import { DriverTable, loadDriver } from './driver-table.js'
import type { DriverEntry, FoundDriver } from './driver-table.js'

/** What a broker driver is opened with, beside its URL. */
export interface BrokerOptions {
  /** `brokerTransportOptions` as the user wrote them; options in the URL's query win over them. */
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
}

/** Makes a broker that is not connected yet; throws `ConfigError` for options it does not know. */
export type BrokerFactory = (url: ConnectionUrl, options: BrokerOptions) => Broker

/** What a broker driver's module exports. */
export interface BrokerModule {
  readonly createBroker: BrokerFactory
}

/** A broker driver as it is registered. */
export interface BrokerDriver extends DriverEntry<BrokerModule> {
  /**
   * The largest priority of a message; 0 where the broker has none.
   *
   * @defaultValue 9
   */
  readonly mostPriority?: number
  /** Why the broker's store keeps no results, and which value of `backend` fits it. Absent where it keeps them. */
  readonly noResults?: { readonly because: string; readonly use: string }
}

/** Broker drivers by URL scheme. Registering loads nothing; a driver is imported when it is first opened. */
export class BrokerRegistry {
  readonly #table = new DriverTable<BrokerModule, BrokerDriver>('broker')

  /** Schemes that can be opened. */
  get schemes(): readonly string[] {
    return this.#table.schemes
  }

  /** Add a driver; a scheme that is served already goes to the newcomer. */
  register(driver: BrokerDriver): this {
    this.#table.register(driver)
    return this
  }

  /** The driver a URL or object belongs to, not loaded. @throws `ConfigError` for an unknown scheme. */
  find(target: string | object): FoundDriver<BrokerModule, BrokerDriver> {
    return this.#table.find(target)
  }

  /** The same; `undefined` for what no driver serves. */
  lookUp(target: string | object): FoundDriver<BrokerModule, BrokerDriver> | undefined {
    return this.#table.lookUp(target)
  }

  /**
   * A broker, not connected yet.
   *
   * @param target - A URL, one server only; a Knex instance; or a broker object, which is returned as it is.
   * @throws `ConfigError` for an unknown scheme, `DriverMissingError` when the driver's package is not installed.
   */
  async open(target: string | object, options: BrokerOptions = {}): Promise<Broker> {
    if (isBroker(target)) return target
    const found = this.find(target)
    const { createBroker } = await loadDriver(found)
    return createBroker(found.url, typeof target === 'string' ? options : { ...options, target })
  }
}

function isBroker(target: string | object): target is Broker {
  return typeof target === 'object' && 'consume' in target && 'publish' in target && 'capabilities' in target
}
