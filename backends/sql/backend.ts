import type {
  GroupStore,
  KeepOptions,
  RecordWatch,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from '../../src/backend/contract.js'
import { BackendConnectionError } from '../../src/errors/errors.js'
import { asBackend } from '../../brokers/sql/failure.js'
import type { KeptRecord, ResultWriter } from '../../brokers/sql/result-writer.js'
import type { Session } from '../../brokers/sql/session.js'
import { openStore } from '../../brokers/sql/store.js'
import type { SqlStore } from '../../brokers/sql/store.js'
import type { SqlTarget } from '../../brokers/sql/target.js'
import { SqlGroups } from './groups.js'
import { RecordWatcher } from './record-watcher.js'
import { fromRow, toRow } from './records.js'

/** How the backend behaves, beside its target. */
export interface SqlBackendOptions {
  readonly codec: ResultCodec
  /** Make and extend the tables at `connect`. */
  readonly autoMigrate: boolean
}

/** Results in Celery's tables, in the form of Celery 5.7: bytes of the result serializer. */
export class SqlBackend implements ResultBackend, ResultWriter {
  readonly name = 'sqlite'
  readonly shared = true
  readonly groups: GroupStore
  readonly #target: SqlTarget
  readonly #options: SqlBackendOptions
  #store: SqlStore | undefined
  #watcher: RecordWatcher | undefined

  constructor(target: SqlTarget, options: SqlBackendOptions) {
    this.#target = target
    this.#options = options
    this.groups = new SqlGroups(() => this.#connected(), options.codec)
  }

  get resultStore(): SqlStore | undefined {
    return this.#store
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#store !== undefined) return
    await asBackend(async () => {
      const store = await openStore(this.#target)
      try {
        await store.ensure('results', this.#options.autoMigrate)
      } catch (error) {
        await store.release()
        throw error
      }
      this.#store = store
      this.#watcher = new RecordWatcher(store)
    })
  }

  async store(records: readonly TaskRecord[], { ttlMs }: KeepOptions): Promise<void> {
    const { database, wake } = this.#connected()
    await asBackend(async () =>
      database.transaction(async (session) => {
        await this.writeWithin(
          session,
          records.map((record) => ({ record, ttlMs })),
        )
      }),
    )
    wake.signal()
  }

  async writeWithin(session: Session, records: readonly KeptRecord[]): Promise<void> {
    const { dialect } = this.#connected()
    for (const ttlMs of new Set(records.map((kept) => kept.ttlMs))) {
      const kept = records.filter((one) => one.ttlMs === ttlMs)
      await dialect.upsertResults(
        session,
        kept.map(({ record }) => toRow(record, this.#options.codec)),
        ttlMs,
      )
    }
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const { database, dialect } = this.#connected()
    return asBackend(async () => {
      const rows = await database.read(async (session) => dialect.loadResults(session, taskIds))
      return new Map(rows.map((row) => [row.taskId, fromRow(row, this.#options.codec)]))
    })
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    const { database } = this.#connected()
    await asBackend(async () =>
      database.transaction(async (session) => {
        await session.change((knex) => knex('celery_taskmeta').whereIn('task_id', taskIds).delete())
      }),
    )
  }

  async watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    this.#connected()
    return Promise.resolve(this.#watcher?.watch(taskIds, changed) ?? { close: () => Promise.resolve() })
  }

  async cleanup(): Promise<number> {
    const { database, dialect } = this.#connected()
    return asBackend(async () => database.transaction(async (session) => dialect.dropExpired(session)))
  }

  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    this.#watcher?.close()
    await store?.release()
  }

  #connected(): SqlStore {
    if (this.#store === undefined) throw new BackendConnectionError(`${this.name} backend: not connected`)
    return this.#store
  }
}
