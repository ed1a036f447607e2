import type { OpenDatabase, SqlDialect } from './dialect/dialect.js'
import { checkRights, ensureSchema } from './migrate.js'
import type { SchemaPart } from './migrate.js'
import type { SqlDatabase } from './sql-session.js'
import { openDatabase } from './open-database.js'
import { sqlStoreId } from './settings/database-settings.js'
import type { DatabaseSettings } from './settings/database-settings.js'
import { Topology } from './topology.js'
import { Wake } from './wake.js'

/** One open database and what this process knows of it; the broker and the backend of one file share it. */
export class SqlStore {
  readonly dialect: SqlDialect
  readonly database: SqlDatabase
  readonly wake: Wake
  readonly topology: Topology = new Topology()
  readonly settings: DatabaseSettings
  readonly #current = new Map<SchemaPart, Promise<void>>()
  #users = 0
  #retired = false

  constructor(settings: DatabaseSettings, { dialect, database, watch }: OpenDatabase) {
    this.settings = settings
    this.dialect = dialect
    this.database = database
    this.wake = new Wake(watch)
  }

  /** Bring the tables up to date and see that the role has its rights on them, once for this process. */
  async ensure(part: SchemaPart, autoMigrate: boolean): Promise<void> {
    const running = this.#current.get(part) ?? this.#prepare(part, autoMigrate)
    this.#current.set(part, running)
    try {
      await running
    } catch (error) {
      this.#current.delete(part)
      throw error
    }
  }

  async #prepare(part: SchemaPart, autoMigrate: boolean): Promise<void> {
    await ensureSchema(this, part, autoMigrate)
    await checkRights(this, part)
  }

  /** Count one more user. */
  retain(): void {
    this.#users += 1
  }

  /** Whether it can be shared: nobody has closed it and its connection works. */
  get usable(): boolean {
    return !this.#retired && !this.database.broken
  }

  /** Count one user less; the last one closes the database. */
  async release(): Promise<void> {
    this.#users -= 1
    if (this.#users > 0) return
    this.#retired = true
    this.wake.close()
    await this.database.close()
  }
}

interface Opened {
  readonly storeId: string
  readonly store: Promise<SqlStore>
}

const opened = new Set<Opened>()

/** The store of a database, opened unless this process has it open; `release` it when done. */
export async function openStore(settings: DatabaseSettings): Promise<SqlStore> {
  const storeId = sqlStoreId(settings)
  for (const known of opened) {
    if (known.storeId !== storeId) continue
    const store = await known.store.catch(() => undefined)
    if (store?.usable !== true) opened.delete(known)
    else if (store.database.agree(settings.kind === 'sqlite' ? settings.synchronous : undefined)) {
      store.retain()
      return store
    }
  }
  const opening = openAnew(settings)
  opened.add({ storeId, store: opening })
  const store = await opening
  store.retain()
  return store
}

async function openAnew(settings: DatabaseSettings): Promise<SqlStore> {
  return new SqlStore(settings, await openDatabase(settings))
}
