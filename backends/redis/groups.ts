import type { GroupStore, KeepOptions } from '../../src/backend/contract.js'
import { toArgument } from '../../src/backend/result-document.js'
import { isRecord } from '../../src/util/record.js'
import { asBackend } from '../../src/broker/store-failure.js'
import type { RedisConnection } from '../../brokers/redis/connection.js'
import type { RedisBackendSettings } from './backend-settings.js'
import { compressed, decompressed } from '../../src/backend/compressed-value.js'

/** Saved groups, in Celery's form. @source Celery 5.7, `celery/backends/base.py`, `KeyValueStoreBackend._save_group`. */
export class RedisGroups implements GroupStore {
  readonly #connection: () => RedisConnection
  readonly #settings: RedisBackendSettings

  constructor(connection: () => RedisConnection, settings: RedisBackendSettings) {
    this.#connection = connection
    this.#settings = settings
  }

  async save(groupId: string, tuple: unknown, { ttlMs }: KeepOptions): Promise<void> {
    const key = this.#key(groupId)
    const { codec, compress } = this.#settings
    const value = compressed(toArgument(codec.encode({ result: tuple }).data), compress)
    const life = ttlMs > 0 ? ['PX', Math.ceil(ttlMs)] : []
    const connection = this.#connection()
    await asBackend(() => connection.call('SET', key, value, ...life))
  }

  async load(groupId: string): Promise<unknown> {
    const connection = this.#connection()
    const value = await asBackend(() => connection.callBytes('GET', this.#key(groupId)))
    if (!Buffer.isBuffer(value)) return undefined
    const { codec } = this.#settings
    const { contentType, contentEncoding } = codec
    const fields = codec.decode({ contentType, contentEncoding, data: decompressed(value) })
    return isRecord(fields) ? fields['result'] : undefined
  }

  async forget(groupId: string): Promise<void> {
    const connection = this.#connection()
    await asBackend(() => connection.call('DEL', this.#key(groupId)))
  }

  #key(groupId: string): string {
    return `${this.#settings.prefix}celery-taskset-meta-${groupId}`
  }
}
