import { SqlFailure } from './failure.js'
import type { SchemaPart } from './migrate.js'
import { openStore } from './store.js'
import type { SqlStore } from './store.js'
import { targetName } from './target.js'
import type { SqlTarget } from './target.js'

/** What a {@link StoreHandle} opens. */
export interface StoreHandleOptions {
  readonly target: SqlTarget
  readonly part: SchemaPart
  /** Make and extend the tables. */
  readonly autoMigrate: boolean
}

/** One user's hold on a database: opened once, opened again when the connection broke for good. */
export class StoreHandle {
  readonly #options: StoreHandleOptions
  #store: SqlStore | undefined
  #opening: Promise<SqlStore> | undefined
  #closed = false

  constructor(options: StoreHandleOptions) {
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
    if (store.target.kind !== 'knex') await store.database.prove?.()
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
      throw new SqlFailure(
        'unavailable',
        `the ${targetName(this.#options.target)} store is not connected`,
        undefined,
      )
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
    const { target, part, autoMigrate } = this.#options
    const store = await openStore(target)
    try {
      // The one connection of an application's SQLite may be in the transaction that opens this.
      if (target.kind !== 'knex') await store.ensure(part, autoMigrate)
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
