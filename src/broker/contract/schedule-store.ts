/** What beat keeps in a store. */
import type { Outgoing } from './queue.js'

/** One planned run of a beat entry. */
export interface Occurrence {
  /** Identity: entry and scheduled instant. Two inserts of one id are one occurrence. */
  readonly id: string
  readonly entry: string
  readonly scheduledAtMs: number
}

/** What a beat hears when it asks to lead. */
export interface Leadership {
  readonly leads: boolean
  /** The store's clock, in epoch milliseconds: what every beat goes by, whatever its own clock says. */
  readonly nowMs: number
  /** Another number after every change of the entries. */
  readonly revision: number
}

/** An entry as a store keeps it. */
export interface StoredEntry {
  /** What was saved; JSON. */
  readonly data: Readonly<Record<string, unknown>>
  /** The latest instant of its occurrences, in epoch milliseconds; absent before the first. */
  readonly lastMs?: number
  /** Changes with `data`; names what a save replaces. Opaque. */
  readonly version: string
}

/** How long a store remembers occurrences, in milliseconds before the latest one of the entry. */
export const OCCURRENCES_KEPT_MS = 86_400_000

/** What beat keeps in a store: entries, occurrences sent once, and a leader's lease. */
export interface ScheduleStore {
  /**
   * Insert and publish in one step; resolves `false`, and publishes nothing, when the occurrence exists already, its entry
   * does not, or it is so much older than the entry's latest that it may have been forgotten.
   */
  claimOccurrence(occurrence: Occurrence, publish: readonly Outgoing[]): Promise<boolean>
  /** Take leadership, or keep it, for `leaseMs` from now on the store's clock. */
  lead(candidate: string, leaseMs: number): Promise<Leadership>
  /** Give leadership up; nothing where another leads. */
  resign(candidate: string): Promise<void>
  /**
   * Add an entry, or replace the one of the version `replaces`; its occurrences stay.
   *
   * Resolves `false` and saves nothing when the entry is not as the caller read it: another version, gone, or, without
   * `replaces`, there already.
   */
  saveEntry(name: string, data: Readonly<Record<string, unknown>>, replaces?: string): Promise<boolean>
  /** One entry; `undefined` where there is none. */
  loadEntry(name: string): Promise<StoredEntry | undefined>
  loadEntries(): Promise<ReadonlyMap<string, StoredEntry>>
  /** Remove an entry and its occurrences. */
  removeEntry(name: string): Promise<void>
}
