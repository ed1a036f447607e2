import {
  OCCURRENCES_KEPT_MS,
  type Leadership,
  type Occurrence,
  type Outgoing,
  type ScheduleStore,
  type StoredEntry,
} from '../../src/broker/contract.js'
import { storedEntry } from '../../src/broker/stored-entry.js'
import type { Clock } from '../../src/util/clock.js'

interface MemoryEntry {
  /** JSON text, as other stores have it. */
  data: string
  lastMs: number | undefined
  readonly occurrences: Map<string, number>
}

/** Entries of beat and their occurrences, shared by the brokers of one store. */
export class MemorySchedules {
  readonly #clock: Clock
  readonly #entries = new Map<string, MemoryEntry>()
  #leader = ''
  #leaseUntilMs = 0
  #revision = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The part of the contract, for a broker that publishes by `publish`. */
  for(publish: (batch: readonly Outgoing[]) => Promise<void>): ScheduleStore {
    return {
      claimOccurrence: (occurrence, batch) => this.#claim(occurrence, () => publish(batch)),
      lead: async (candidate, leaseMs) => this.#lead(candidate, leaseMs),
      resign: async (candidate) => {
        if (this.#leader === candidate) this.#leaseUntilMs = 0
      },
      saveEntry: async (name, data, replaces) => {
        const plain = JSON.stringify(data)
        const known = this.#entries.get(name)
        if (known?.data !== replaces) return false
        if (known === undefined)
          this.#entries.set(name, { data: plain, lastMs: undefined, occurrences: new Map() })
        else known.data = plain
        this.#revision += 1
        return true
      },
      loadEntry: async (name) => {
        const entry = this.#entries.get(name)
        return entry === undefined ? undefined : toStored(entry)
      },
      loadEntries: async () => new Map([...this.#entries].map(([name, entry]) => [name, toStored(entry)])),
      removeEntry: async (name) => {
        this.#entries.delete(name)
        this.#revision += 1
      },
    }
  }

  async #claim(
    { id, entry: name, scheduledAtMs }: Occurrence,
    publish: () => Promise<void>,
  ): Promise<boolean> {
    const entry = this.#entries.get(name)
    if (entry === undefined || entry.occurrences.has(id)) return false
    const latestMs = Math.max(entry.lastMs ?? scheduledAtMs, scheduledAtMs)
    if (scheduledAtMs < latestMs - OCCURRENCES_KEPT_MS) return false
    entry.occurrences.set(id, scheduledAtMs)
    try {
      await publish()
    } catch (error) {
      entry.occurrences.delete(id)
      throw error
    }
    entry.lastMs = latestMs
    for (const [old, atMs] of entry.occurrences) {
      if (atMs < latestMs - OCCURRENCES_KEPT_MS) entry.occurrences.delete(old)
    }
    return true
  }

  #lead(candidate: string, leaseMs: number): Leadership {
    const nowMs = this.#clock.now()
    const leads = this.#leader === candidate || this.#leaseUntilMs <= nowMs
    if (leads) {
      this.#leader = candidate
      this.#leaseUntilMs = nowMs + leaseMs
    }
    return { leads, nowMs, revision: this.#revision }
  }
}

function toStored({ data, lastMs }: MemoryEntry): StoredEntry {
  return storedEntry(data, lastMs)
}
