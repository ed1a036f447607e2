import { createHash } from 'node:crypto'
import type {
  GroupStore,
  KeepOptions,
  OneStepResults,
  RecordListener,
  RecordWatch,
  ResultBackend,
  TaskRecord,
} from '../../src/backend/contract.js'
import { readDocument, writeDocument } from '../../src/backend/result-document.js'
import { BackendConnectionError } from '../../src/errors/errors.js'
import { asBackend } from '../../src/broker/store-failure.js'
import { toFailure } from '../../brokers/redis/failure.js'
import { acquireConnection } from '../../brokers/redis/shared-connections.js'
import type { ConnectionLease } from '../../brokers/redis/shared-connections.js'
import type { Argument, RedisConnection } from '../../brokers/redis/connection.js'
import { STORE } from '../../brokers/redis/lua/store.js'
import type { Operation } from '../../brokers/redis/operations.js'
import { listOf, textsOf } from '../../brokers/redis/reply.js'
import { afterInspection } from '../../brokers/redis/result-writer.js'
import type { ResultWriter } from '../../brokers/redis/result-writer.js'
import { toScript } from '../../brokers/redis/script.js'
import type { RedisBackendSettings } from './backend-settings.js'
import { compressed, decompressed } from '../../src/backend/compressed-value.js'
import { RedisGroups } from './groups.js'

const BATCH = 500
const storeScript = toScript(STORE)

/** Celery's result documents in Redis. */
export class RedisBackend implements ResultBackend, ResultWriter {
  readonly name = 'redis'
  readonly shared = true
  readonly compresses = true
  readonly watchesQuickly = true
  readonly groups: GroupStore
  readonly oneStep: OneStepResults
  readonly database: number
  readonly #settings: RedisBackendSettings
  #lease: ConnectionLease | undefined

  constructor(settings: RedisBackendSettings) {
    this.#settings = settings
    this.database = settings.target.database
    this.oneStep = { storeId: settings.target.storeId, writer: this }
    this.groups = new RedisGroups(() => this.#connection(), settings)
  }

  async connect(signal: AbortSignal): Promise<void> {
    if (this.#lease !== undefined) return
    const lease = acquireConnection(this.#settings.target)
    try {
      await asBackend(() => lease.connection.ready(signal))
    } catch (error) {
      lease.release()
      throw error
    }
    this.#lease = lease
  }

  storeOperation(record: TaskRecord, ttlMs: number): Operation {
    const { codec, compress } = this.#settings
    const document = compressed(writeDocument(record, codec), compress)
    return ['S', this.#key(record.taskId), Math.max(0, Math.ceil(ttlMs)), document, '']
  }

  async store(records: readonly TaskRecord[], { ttlMs }: KeepOptions): Promise<void> {
    for (let from = 0; from < records.length; from += BATCH) {
      const batch = records.slice(from, from + BATCH)
      await asBackend(() => this.#store(batch.map((record) => this.storeOperation(record, ttlMs))))
    }
  }

  async inspect(keys: readonly string[]): Promise<ReadonlyMap<string, string | undefined>> {
    const values = listOf(await this.#connection().callBytes('MGET', ...keys))
    return new Map(keys.map((key, index) => [key, this.#hashOf(values[index])]))
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const connection = this.#connection()
    const found = new Map<string, TaskRecord>()
    for (let from = 0; from < taskIds.length; from += BATCH) {
      const ids = taskIds.slice(from, from + BATCH)
      const keys = ids.map((id) => this.#key(id))
      const values = listOf(await asBackend(() => connection.callBytes('MGET', ...keys)))
      for (const [index, value] of values.entries()) {
        const taskId = ids[index] ?? ''
        if (Buffer.isBuffer(value)) found.set(taskId, { ...this.#read(value), taskId })
      }
    }
    return found
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    const connection = this.#connection()
    await asBackend(() => connection.call('DEL', ...taskIds.map((id) => this.#key(id))))
  }

  async watch(taskIds: readonly string[], changed: RecordListener): Promise<RecordWatch> {
    const { listening, target } = this.#connection()
    const quits: (() => Promise<void>)[] = [
      async () => {
        forget()
        await Promise.resolve()
      },
    ]
    const forget = listening.onBack(() => changed())
    const close = async (): Promise<void> => {
      await Promise.all(quits.splice(0).map((quit) => quit()))
    }
    const subscribing = [...new Set(taskIds)].map(async (id) => {
      const told = (_channel: string, payload: Buffer): void => changed(this.#pushed(id, payload))
      quits.push(await listening.subscribe(this.#key(id), told))
    })
    // All of them, so that none comes about after the others were given up.
    const failed = (await Promise.allSettled(subscribing)).find(({ status }) => status === 'rejected')
    if (failed?.status !== 'rejected') return { close }
    await close()
    return asBackend(() => Promise.reject(toFailure(failed.reason, target.label)))
  }

  async close(): Promise<void> {
    this.#lease?.release()
    this.#lease = undefined
    await Promise.resolve()
  }

  #key(taskId: string): string {
    return `${this.#settings.prefix}celery-task-meta-${taskId}`
  }

  async #store(operations: readonly Operation[]): Promise<void> {
    const args: Argument[] = operations.flat()
    // It uses none of the two; in a cluster they say which node has the keys.
    const keys = [this.#key(''), this.#key('')]
    const opaque = textsOf(await this.#connection().run(storeScript, keys, args))
    if (opaque.length > 0) await this.#store(afterInspection(operations, await this.inspect(opaque)))
  }

  /** One that cannot be read here either may be replaced: who waits for the task could not read it. */
  #hashOf(value: unknown): string | undefined {
    if (!Buffer.isBuffer(value)) return ''
    const hash = createHash('sha1').update(value).digest('hex')
    try {
      return this.#read(value).state === 'SUCCESS' ? undefined : hash
    } catch {
      return hash
    }
  }

  /** What is no document is for a load to complain of. */
  #pushed(taskId: string, payload: Buffer): TaskRecord | undefined {
    try {
      return { ...this.#read(payload), taskId }
    } catch {
      return undefined
    }
  }

  #read(value: Buffer): TaskRecord {
    return readDocument(decompressed(value), this.#settings.codec)
  }

  #connection(): RedisConnection {
    if (this.#lease === undefined) throw new BackendConnectionError('redis backend: not connected')
    return this.#lease.connection
  }
}
