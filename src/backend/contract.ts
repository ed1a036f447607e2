/** The result backend contract: keep task records, tell whoever waits, count chords. */

import type { OneStepResults, TaskRecord } from '../message/task-record.js'

export type { EncodedValue, ResultCodec } from '../message/result-codec.js'
export type { ExtendedRecord, OneStepResults, TaskRecord } from '../message/task-record.js'

/** How long to keep. */
export interface KeepOptions {
  /** Forget this many milliseconds after storing; 0 keeps it until forgotten. */
  readonly ttlMs: number
}

/** Told of changes of watched records; with the record, where the store pushes it as a whole. */
export type RecordListener = (record?: TaskRecord) => void

/** An open watch on records. */
export interface RecordWatch {
  close(): Promise<void>
}

/** Group membership, for `GroupResult.save` and `restore`. */
export interface GroupStore {
  /** `tuple` is Celery's result tuple `[[groupId, parent], [children]]`. */
  save(groupId: string, tuple: unknown, options: KeepOptions): Promise<void>
  load(groupId: string): Promise<unknown>
  forget(groupId: string): Promise<void>
}

/** Atomic counting of a chord's header. */
export interface ChordStore {
  open(chordId: string, size: number, options: KeepOptions): Promise<void>
  /**
   * Record one part, once per task id; resolves with how many parts have arrived, this one included.
   *
   * @param index - The part's place in the header; parts without one come last, in order of arrival.
   */
  arrive(chordId: string, record: TaskRecord, index?: number): Promise<number>
  /** The parts in header order. */
  collect(chordId: string): Promise<readonly TaskRecord[]>
  discard(chordId: string): Promise<void>
}

/** Keeps task records. */
export interface ResultBackend {
  readonly name: string
  /** Whether records outlive this process and can be read by another. */
  readonly shared: boolean
  /** Longest task id that it keeps, in characters; absent means any. */
  readonly maxIdLength?: number
  /** Whether results are written with the `compress` that the backend was opened with; absent means no. */
  readonly compresses?: boolean
  /** Absent where no broker shares the store, or while it is not known which store it is. */
  readonly oneStep?: OneStepResults | undefined
  connect(signal: AbortSignal): Promise<void>
  /** Keep the records. A record never replaces the `SUCCESS` of the same task. */
  store(records: readonly TaskRecord[], options: KeepOptions): Promise<void>
  /** The records found, by task id. A missing or expired id has no entry. */
  load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>>
  forget(taskIds: readonly string[]): Promise<void>
  /**
   * Push of changes: `changed` is called, soon after a record of these ids was stored, possibly more often and
   * possibly for others. A hint: the caller loads, unless it is given the record that was stored. Absent when the core
   * must poll `load` instead.
   */
  watch?(taskIds: readonly string[], changed: RecordListener): Promise<RecordWatch>
  /** Whether a watch on a few records costs no more than a load: it is then opened beside the first one. */
  readonly watchesQuickly?: boolean
  /** Delete what has expired; resolves with the number deleted. Absent where the store expires by itself. */
  cleanup?(): Promise<number>
  /**
   * Where results of the tasks that this process sends have to come to; whoever calls it listens from then on.
   * Present only where results are sent to their caller rather than stored.
   */
  replyTo?(): Promise<string>
  /** Absent when the backend keeps no groups. */
  readonly groups?: GroupStore
  /** Absent when the backend cannot count atomically; chords then fall back to polling. */
  readonly chords?: ChordStore
  close(): Promise<void>
}
