import type {
  GroupStore,
  KeepOptions,
  OneStepResults,
  RecordWatch,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from '../../src/backend/contract.js'
import type { KeptRow, SqlDialect } from '../../brokers/sql/dialect/dialect.js'
import { LONGEST } from '../../brokers/sql/dialect/results.js'
import { asBackend } from '../../src/broker/store-failure.js'
import type { KeptRecord, ResultWriter } from '../../brokers/sql/result-writer.js'
import type { SqlSession } from '../../brokers/sql/sql-session.js'
import type { SqlStore } from '../../brokers/sql/store.js'
import { ReconnectingStore } from '../../brokers/sql/reconnecting-store.js'
import { databaseOf, sqlStoreId, driverName } from '../../brokers/sql/settings/database-settings.js'
import type { DatabaseSettings } from '../../brokers/sql/settings/database-settings.js'
import { SqlGroups } from './groups.js'
import { RecordWatcher } from './record-watcher.js'
import { fromRow, toRow } from './records.js'
import { Sweeper } from './sweeper.js'

/** How the backend behaves, beside its settings. */
export interface SqlBackendOptions {
  readonly codec: ResultCodec
  /** Make and extend the tables at `connect`. */
  readonly autoMigrate: boolean
}

/** Results in Celery's tables, in the form of Celery 5.7: bytes of the result serializer. */
export class SqlBackend implements ResultBackend, ResultWriter {
  readonly name: string
  readonly shared = true
  readonly maxIdLength?: number
  readonly groups: GroupStore
  readonly #storeId: string
  readonly #handle: ReconnectingStore
  readonly #codec: ResultCodec
  readonly #watcher: RecordWatcher
  readonly #sweeper = new Sweeper((limit) =>
    this.#use(({ database, dialect }) =>
      // A deletion that a power cut undoes is made again.
      database.transaction((session) => dialect.results.dropExpired(session, limit), { durable: false }),
    ),
  )

  constructor(settings: DatabaseSettings, options: SqlBackendOptions) {
    this.name = driverName(settings)
    // SQLite does not enforce the length of a column.
    if (databaseOf(settings) !== 'sqlite') this.maxIdLength = LONGEST
    this.#storeId = sqlStoreId(settings)
    this.#codec = options.codec
    this.#handle = new ReconnectingStore({ settings, part: 'results', autoMigrate: options.autoMigrate })
    this.#watcher = new RecordWatcher(() => this.#handle.get())
    this.groups = new SqlGroups(() => this.#handle.get(), options.codec)
  }

  /** Once its tables are there. */
  get oneStep(): OneStepResults | undefined {
    return this.#handle.current && { storeId: this.#storeId, writer: this }
  }

  async connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await asBackend(() => this.#handle.open())
  }

  async store(records: readonly TaskRecord[], { ttlMs }: KeepOptions): Promise<void> {
    const kept = records.map((record) => ({ record, ttlMs }))
    await this.#use(async ({ database, dialect, wake }) => {
      await database.transaction((session) => this.writeWithin(session, dialect, kept))
      wake.signal()
    })
  }

  rowsOf(records: readonly KeptRecord[]): readonly KeptRow[] {
    return records.map(({ record, ttlMs }) => ({ row: toRow(record, this.#codec), ttlMs }))
  }

  stored(): void {
    this.#sweeper.stored()
  }

  async writeWithin(session: SqlSession, dialect: SqlDialect, records: readonly KeptRecord[]): Promise<void> {
    for (const ttlMs of new Set(records.map((kept) => kept.ttlMs))) {
      const rows = records
        .filter((kept) => kept.ttlMs === ttlMs)
        .map(({ record }) => toRow(record, this.#codec))
      await dialect.results.upsert(session, rows, ttlMs)
    }
    this.#sweeper.stored()
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const rows = await this.#use(({ database, dialect }) =>
      database.read((session) => dialect.results.load(session, taskIds)),
    )
    return new Map(rows.map((row) => [row.taskId, fromRow(row, this.#codec)]))
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    await this.#use(({ database }) =>
      database.transaction((session) =>
        session.change((knex, names) => knex(names.taskmeta).whereIn('task_id', taskIds).delete()),
      ),
    )
  }

  async watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    return asBackend(() => this.#watcher.watch(taskIds, changed))
  }

  async cleanup(): Promise<number> {
    return this.#sweeper.sweep()
  }

  async close(): Promise<void> {
    this.#watcher.close()
    await this.#sweeper.close()
    await this.#handle.close()
  }

  #use<Result>(work: (store: SqlStore) => Promise<Result>): Promise<Result> {
    return asBackend(async () => work(await this.#handle.get()))
  }
}
