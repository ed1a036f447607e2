import type {
  ChordStore,
  GroupStore,
  KeepOptions,
  OneStepResults,
  RecordWatch,
  ResultBackend,
  ResultCodec,
  TaskRecord,
} from '../../src/backend/contract.js'
import { MemoryChords } from './chords.js'
import { MemoryGroups } from './groups.js'
import type { RecordStore } from './records.js'

/** Keeps results in this process. Values pass through the serializer, so that a test sees what production sees. */
export class MemoryBackend implements ResultBackend {
  readonly name = 'memory'
  readonly shared = false
  readonly groups: GroupStore
  readonly chords: ChordStore
  readonly oneStep: OneStepResults
  readonly #records: RecordStore
  readonly #codec: ResultCodec

  constructor(records: RecordStore, codec: ResultCodec) {
    this.#records = records
    this.oneStep = { storeId: records.id, writer: this }
    this.#codec = codec
    this.groups = new MemoryGroups(records)
    this.chords = new MemoryChords(records)
  }

  async connect(): Promise<void> {}

  async store(records: readonly TaskRecord[], options: KeepOptions): Promise<void> {
    for (const record of records.map((one) => this.toStored(one))) this.#records.put(record, options.ttlMs)
  }

  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    const found = new Map<string, TaskRecord>()
    for (const id of taskIds) {
      const stored = this.#records.get(id)
      if (stored !== undefined) found.set(id, this.#toRead(stored))
    }
    return found
  }

  async forget(taskIds: readonly string[]): Promise<void> {
    for (const id of taskIds) this.#records.delete(id)
  }

  async watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    const stop = this.#records.watch(taskIds, changed)
    return {
      close: async () => {
        stop()
      },
    }
  }

  async cleanup(): Promise<number> {
    return this.#records.sweep()
  }

  async close(): Promise<void> {}

  /** The form a record is kept in: its value serialized. Throws `EncodeError` when it cannot be. */
  toStored(record: TaskRecord): TaskRecord {
    return { ...record, encoded: record.encoded ?? this.#codec.encode(record.result), result: undefined }
  }

  #toRead(stored: TaskRecord): TaskRecord {
    const { encoded, ...rest } = stored
    return encoded === undefined ? rest : { ...rest, result: this.#codec.decode(encoded) }
  }
}
