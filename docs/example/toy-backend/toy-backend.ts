import type {
  BackendFactory,
  EncodedValue,
  KeepOptions,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from 'lovage/driver'

// #region store
/** A record as it lies in the store: its value serialized, with the moment it is over. */
interface Row {
  readonly record: Omit<TaskRecord, 'result' | 'encoded'>
  readonly value: EncodedValue
  readonly expiresAtMs: number
}

type Rows = Map<string, Row>

/** What would be a database: one table for each name. */
const tables = new Map<string, Rows>()
// #endregion store

// #region backend
class ToyBackend implements ResultBackend {
  readonly name = 'toy'
  readonly shared = false
  readonly #rows: Rows
  readonly #codec: ResultCodec

  constructor(rows: Rows, codec: ResultCodec) {
    this.#rows = rows
    this.#codec = codec
  }

  async connect(): Promise<void> {}

  async store(records: readonly TaskRecord[], options: KeepOptions): Promise<void> {
    const expiresAtMs = options.ttlMs === 0 ? Infinity : Date.now() + options.ttlMs
    for (const { result, encoded, ...record } of records) {
      // The first success stays: a message may be delivered twice.
      if (this.#find(record.taskId)?.record.state === 'SUCCESS') continue
      const value = encoded ?? this.#codec.encode(result)
      this.#rows.set(record.taskId, { record, value, expiresAtMs })
    }
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const found = new Map<string, TaskRecord>()
    for (const id of taskIds) {
      const row = this.#find(id)
      if (row !== undefined) found.set(id, { ...row.record, result: this.#codec.decode(row.value) })
    }
    return found
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    for (const id of taskIds) this.#rows.delete(id)
  }

  async cleanup(): Promise<number> {
    const expired = [...this.#rows].filter(([, row]) => row.expiresAtMs <= Date.now())
    await this.forget(expired.map(([id]) => id))
    return expired.length
  }

  async close(): Promise<void> {}

  #find(taskId: string): Row | undefined {
    const row = this.#rows.get(taskId)
    return row === undefined || row.expiresAtMs <= Date.now() ? undefined : row
  }
}

/** `toy://name` */
export const createBackend: BackendFactory = (url, { codec }) => {
  const rows: Rows = tables.get(url.host) ?? new Map<string, Row>()
  tables.set(url.host, rows)
  return new ToyBackend(rows, codec)
}
// #endregion backend
