import type { ChordStore, KeepOptions, TaskRecord } from '../../src/backend/contract.js'
import type { ChordParts, RecordStore } from './records.js'

/** Counts the parts of chords. */
export class MemoryChords implements ChordStore {
  readonly #records: RecordStore

  constructor(records: RecordStore) {
    this.#records = records
  }

  async open(chordId: string, _size: number, options: KeepOptions): Promise<void> {
    if (this.#records.chords.get(chordId) !== undefined) return
    this.#keep(chordId, { ttlMs: options.ttlMs, parts: new Map() })
  }

  async arrive(chordId: string, record: TaskRecord, index?: number): Promise<number> {
    const chord = this.#records.chords.get(chordId) ?? { ttlMs: 0, parts: new Map() }
    if (!chord.parts.has(record.taskId)) {
      chord.parts.set(record.taskId, { record, index: index ?? Number.POSITIVE_INFINITY })
    }
    this.#keep(chordId, chord)
    return chord.parts.size
  }

  async collect(chordId: string): Promise<readonly TaskRecord[]> {
    const parts = [...(this.#records.chords.get(chordId)?.parts.values() ?? [])]
    // Two parts without an index compare as equal and stay in order of arrival.
    parts.sort((one, other) => (one.index === other.index ? 0 : one.index - other.index))
    return parts.map((part) => part.record)
  }

  async discard(chordId: string): Promise<void> {
    this.#records.chords.delete(chordId)
  }

  #keep(chordId: string, chord: ChordParts): void {
    this.#records.chords.set(chordId, chord, chord.ttlMs)
  }
}
