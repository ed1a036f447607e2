import { nextOfEntry, type PeriodicEntry } from './entry.js'
import type { KnownEntry } from './stored-entries.js'
import { Interval } from '../schedule/interval.js'
import { dueOf, type Due, type DueOptions } from './due.js'

/** One entry, and how far it is done. */
export interface ScheduledEntry {
  readonly entry: PeriodicEntry
  doneMs: number
  nextMs: number
}

const NEVER_MS = Number.POSITIVE_INFINITY
/** Longer than two looks are apart, so that nothing falls between them. */
const REWIND_MS = 5_000

/** The entries that are sent, each with its next instant. */
export class ScheduledEntries {
  readonly #timezone: () => string
  readonly #failed: (entry: PeriodicEntry, error: unknown) => void
  #scheduled = new Map<string, ScheduledEntry>()

  /** @param failed - Called for an entry whose schedule throws; the others go on. */
  constructor(timezone: () => string, failed: (entry: PeriodicEntry, error: unknown) => void) {
    this.#timezone = timezone
    this.#failed = failed
  }

  /** Take over what the store has; what was done here stays done. */
  load(entries: Iterable<KnownEntry>): void {
    const next = new Map<string, ScheduledEntry>()
    for (const { entry, sinceMs, lastMs, paused } of entries) {
      if (paused || !entry.enabled) continue
      const known = this.#scheduled.get(entry.name)
      // What is done here counts as long as it is the same entry.
      const hereMs = known !== undefined && known.doneMs >= sinceMs ? known.doneMs : sinceMs
      const doneMs = Math.max(sinceMs, lastMs ?? sinceMs, hereMs)
      next.set(entry.name, { entry, doneMs, nextMs: this.#next(entry, doneMs) })
    }
    this.#scheduled = next
  }

  /** Entries. */
  get size(): number {
    return this.#scheduled.size
  }

  /** The next instant of any entry, in epoch milliseconds; `Infinity` when there is none. */
  get nextMs(): number {
    let first = NEVER_MS
    for (const { nextMs } of this.#scheduled.values()) first = Math.min(first, nextMs)
    return first
  }

  /** Lines that are due, the oldest first. */
  dueAt(nowMs: number): readonly ScheduledEntry[] {
    return [...this.#scheduled.values()]
      .filter(({ nextMs }) => nextMs <= nowMs)
      .sort((one, other) => one.nextMs - other.nextMs)
  }

  /** What is due of an entry. */
  due(scheduled: ScheduledEntry, options: Omit<DueOptions, 'timezone'>): Due | undefined {
    try {
      return dueOf(scheduled.entry, scheduled.doneMs, { ...options, timezone: this.#timezone() })
    } catch (error) {
      this.#failed(scheduled.entry, error)
      scheduled.nextMs = NEVER_MS
      return undefined
    }
  }

  /** An entry is done up to an instant. */
  done(scheduled: ScheduledEntry, doneMs: number): void {
    scheduled.doneMs = doneMs
    scheduled.nextMs = this.#next(scheduled.entry, doneMs)
  }

  /** The clock went back: what lies ahead again is sent in its time, as far as the store has not seen it. */
  rewind(nowMs: number): void {
    for (const scheduled of this.#scheduled.values()) {
      const backMs = scheduled.doneMs - (nowMs - REWIND_MS)
      if (backMs <= 0) continue
      const { schedule } = scheduled.entry
      // The instants of an interval follow from each other.
      const stepMs = schedule instanceof Interval ? schedule.everyMs : backMs
      this.done(scheduled, scheduled.doneMs - Math.ceil(backMs / stepMs) * stepMs)
    }
  }

  #next(entry: PeriodicEntry, doneMs: number): number {
    try {
      return nextOfEntry(entry, doneMs, this.#timezone()) ?? NEVER_MS
    } catch (error) {
      this.#failed(entry, error)
      return NEVER_MS
    }
  }
}
