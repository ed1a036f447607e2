import { MongoBulkWriteError } from 'mongodb'
import type { ClientSession, Collection } from 'mongodb'
import type {
  GroupStore,
  KeepOptions,
  OneStepResults,
  RecordWatch,
  ResultBackend,
  TaskRecord,
} from '../../src/backend/contract.js'
import { BackendConnectionError, UnsupportedError } from '../../src/errors/errors.js'
import { asBackend } from '../../brokers/mongodb/failure.js'
import { proveChanges } from '../../brokers/mongodb/features.js'
import type { Features } from '../../brokers/mongodb/features.js'
import { acquireConnection, mongoStoreId } from '../../brokers/mongodb/connection.js'
import type { ConnectionLease } from '../../brokers/mongodb/connection.js'
import type { KeptRecord, ResultWriter } from '../../brokers/mongodb/result-writer.js'
import type { ServerClock } from '../../brokers/mongodb/server-clock.js'
import type { MongoBackendSettings } from './backend-settings.js'
import { readDocument, writeDocument } from './document.js'
import type { TaskDocument } from './document.js'
import { expired, MongoGroups, unexpired } from './groups.js'
import type { GroupDocument } from './groups.js'
import { RecordChanges } from './record-changes.js'

const BATCH = 500
const DUPLICATE = 11_000
const SWEEP_EVERY_MS = 60_000
const NOT_REPLACED = 'SUCCESS'

interface Connected {
  readonly lease: ConnectionLease
  readonly features: Features
  readonly clock: ServerClock
  readonly records: Collection<TaskDocument>
  readonly groups: Collection<GroupDocument>
  readonly changes: RecordChanges
}

/** Celery's result documents in MongoDB. */
export class MongoBackend implements ResultBackend, ResultWriter {
  readonly name = 'mongodb'
  readonly shared = true
  readonly compresses = true
  readonly groups: GroupStore
  readonly oneStep: OneStepResults
  readonly #settings: MongoBackendSettings
  #connected: Connected | undefined
  #sweepAtMs = performance.now() + SWEEP_EVERY_MS * Math.random()

  constructor(settings: MongoBackendSettings) {
    this.#settings = settings
    this.oneStep = { storeId: mongoStoreId(settings.target), writer: this }
    this.groups = new MongoGroups(() => ({ ...this.#open(), form: settings }))
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#connected !== undefined) return
    const { target, taskmeta, groupmeta } = this.#settings
    const lease = acquireConnection(target)
    try {
      this.#connected = await asBackend(async () => {
        const { connection } = lease
        const { features, clock } = await connection.ready(signal)
        const records = connection.collection<TaskDocument>(taskmeta, target.database)
        const groups = connection.collection<GroupDocument>(groupmeta, target.database)
        for (const collection of [records, groups]) {
          // Celery's own index has another form than one that deletes, and refuses to stand beside one on its field.
          // To the letter as Celery makes it: there are servers that refuse what differs in `background`.
          await collection.createIndex({ date_done: 1 }, { background: true }, {})
          await collection.createIndex({ expire_at: 1 }, { expireAfterSeconds: 0 }, {})
        }
        await proveChanges(connection.collection(taskmeta, target.database), target)
        const changes = new RecordChanges(connection.collection(taskmeta, target.database))
        return { lease, features, clock, records, groups, changes }
      })
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  async store(records: readonly TaskRecord[], { ttlMs }: KeepOptions): Promise<void> {
    for (let from = 0; from < records.length; from += BATCH) {
      const batch = records.slice(from, from + BATCH).map((record) => ({ record, ttlMs }))
      await asBackend(() => this.#write(batch))
    }
    this.#sweepNowAndThen()
  }

  async writeWithin(session: ClientSession | undefined, kept: readonly KeptRecord[]): Promise<void> {
    // Without a transaction somebody could store a success between the look and the write.
    if (session === undefined) return this.#write(kept)
    const { records } = this.#open()
    const ids = kept.map(({ record }) => record.taskId)
    // An upsert that meets a success would fail, and the transaction with it.
    const done = await records
      .find({ _id: { $in: ids }, status: NOT_REPLACED }, { projection: { status: 1 }, session })
      .toArray()
    const successes = new Set(done.map(({ _id }) => _id))
    const operations = []
    for (const { record, ttlMs } of kept) {
      if (successes.has(record.taskId)) continue
      if (record.state === NOT_REPLACED) successes.add(record.taskId)
      const replacement = await this.#document(record, ttlMs)
      operations.push({ replaceOne: { filter: { _id: record.taskId }, replacement, upsert: true } })
    }
    if (operations.length > 0) await records.bulkWrite(operations, { ordered: true, session })
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const { records } = this.#open()
    const found = new Map<string, TaskRecord>()
    for (let from = 0; from < taskIds.length; from += BATCH) {
      const ids = taskIds.slice(from, from + BATCH)
      const documents = await asBackend(() => records.find({ _id: { $in: ids }, ...unexpired }).toArray())
      for (const document of documents) {
        found.set(document._id, readDocument(document, this.#settings.codec))
      }
    }
    return found
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    const { records } = this.#open()
    await asBackend(() => records.deleteMany({ _id: { $in: [...taskIds] } }))
  }

  /** Rejects where the server has no change streams: the caller then polls. */
  async watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    const { features, changes } = this.#open()
    if (!features.changes) throw new UnsupportedError('this MongoDB server has no change streams')
    return changes.watch(taskIds, changed)
  }

  async cleanup(): Promise<number> {
    const { records, groups } = this.#open()
    return asBackend(async () => {
      const [ofTasks, ofGroups] = await Promise.all([records.deleteMany(expired), groups.deleteMany(expired)])
      return ofTasks.deletedCount + ofGroups.deletedCount
    })
  }

  async close(): Promise<void> {
    const connected = this.#connected
    this.#connected = undefined
    await connected?.changes.close()
    await connected?.lease.release()
  }

  /** @source Celery 5.7: the first success stays; what meets one is tried once more, and then given up. */
  async #write(kept: readonly KeptRecord[], isSecond = false): Promise<void> {
    const { records } = this.#open()
    const operations = await Promise.all(
      kept.map(async ({ record, ttlMs }) => ({
        replaceOne: {
          filter: { _id: record.taskId, status: { $ne: NOT_REPLACED } },
          replacement: await this.#document(record, ttlMs),
          upsert: true,
        },
      })),
    )
    try {
      await records.bulkWrite(operations, { ordered: false })
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || error.code !== DUPLICATE) throw error
      const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors]
      if (failed.some(({ code }) => code !== DUPLICATE)) throw error
      if (!isSecond) {
        await this.#write(
          failed.flatMap(({ index }) => kept[Number(index)] ?? []),
          true,
        )
      }
    }
  }

  async #document(record: TaskRecord, ttlMs: number): Promise<TaskDocument> {
    const expiresAtMs = ttlMs > 0 ? (await this.#open().clock.now()) + ttlMs : 0
    return writeDocument(record, this.#settings, expiresAtMs)
  }

  /** Where no index deletes what has expired. */
  #sweepNowAndThen(): void {
    const { features } = this.#open()
    if (features.ttl || performance.now() < this.#sweepAtMs) return
    this.#sweepAtMs = performance.now() + SWEEP_EVERY_MS
    this.cleanup().catch(() => undefined)
  }

  #open(): Connected {
    if (this.#connected === undefined) throw new BackendConnectionError('mongodb backend: not connected')
    return this.#connected
  }
}
