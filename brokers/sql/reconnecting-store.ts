import { SqlFailure } from './failure.js'
import type { SchemaPart } from './migrate.js'
import { openStore } from './store.js'
import type { SqlStore } from './store.js'
import { driverName } from './settings/database-settings.js'
import type { DatabaseSettings } from './settings/database-settings.js'

/** What a {@link ReconnectingStore} opens. */
export interface ReconnectingStoreOptions {
  readonly settings: DatabaseSettings
  readonly part: SchemaPart
  /** Make and extend the tables. */
  readonly autoMigrate: boolean
}

/** One user's hold on a database: opened once, opened again when the connection broke for good. */
export class ReconnectingStore {
  readonly #options: ReconnectingStoreOptions
  #store: SqlStore | undefined
  #opening: Promise<SqlStore> | undefined
  #closed = false

  constructor(options: ReconnectingStoreOptions) {
    this.#options = options
  }

  /** The store that was opened last; `undefined` before and after. */
  get current(): SqlStore | undefined {
    return this.#store
  }

  /** Open the store. @throws {@link SqlFailure} when it does not take writes now. */
  async open(): Promise<void> {
    this.#closed = false
    const store = await this.#usable()
    // Open in this process already, it may be that of a server which is gone; the caller may know another.
    if (store.settings.kind !== 'knex') await store.database.prove?.()
  }

  /** The open store, a new one if the last one broke. @throws {@link SqlFailure} when it is not open. */
  async get(): Promise<SqlStore> {
    const store = await this.untouched()
    const { part, autoMigrate } = this.#options
    await store.ensure(part, autoMigrate)
    return store
  }

  /** As {@link get}, without a look at the tables. */
  async untouched(): Promise<SqlStore> {
    if (this.#closed || this.#store === undefined) {
      throw new SqlFailure('unavailable', `the ${driverName(this.#options.settings)} store is not connected`)
    }
    return this.#usable()
  }

  /** Let go of the store. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    const store = this.#store
    this.#store = undefined
    await store?.release()
  }

  async #usable(): Promise<SqlStore> {
    if (this.#store !== undefined && !this.#store.database.broken) return this.#store
    this.#opening ??= this.#open()
    try {
      return await this.#opening
    } finally {
      this.#opening = undefined
    }
  }

  async #open(): Promise<SqlStore> {
    const { settings, part, autoMigrate } = this.#options
    const store = await openStore(settings)
    try {
      // The one connection of an application's SQLite may be in the transaction that opens this.
      if (settings.kind !== 'knex') await store.ensure(part, autoMigrate)
    } catch (error) {
      await store.release()
      throw error
    }
    const last = this.#store
    this.#store = store
    await last?.release()
    return store
  }
}
