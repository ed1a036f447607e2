import { dated } from './stored-entries.js'
import type { StoredEntry } from '../broker/contract.js'

interface StartTime {
  readonly form: string
  readonly sinceMs: number
}

/**
 * When entries began that somebody wrote into the store by hand, without a beginning.
 *
 * Kept here: writing it into the store would undo what is edited there at the same moment.
 */
export class EntryStartTimes {
  #sights = new Map<string, StartTime>()

  /**
   * The entries, each with a beginning: an undated one begins when it is first seen, or was last sent where that is known,
   * and anew when its instants change or it is resumed.
   */
  dated(entries: ReadonlyMap<string, StoredEntry>, nowMs: number): ReadonlyMap<string, StoredEntry> {
    const before = this.#sights
    this.#sights = new Map()
    const found = new Map<string, StoredEntry>()
    for (const [name, stored] of entries) {
      const { schedule, timezone, paused, enabled } = stored.data
      const form = JSON.stringify([schedule, timezone, paused, enabled])
      const known = before.get(name)
      const firstMs = known === undefined ? (stored.lastMs ?? nowMs) : nowMs
      const sight = known?.form === form ? known : { form, sinceMs: firstMs }
      const entry = dated(stored, sight.sinceMs)
      if (entry !== stored) this.#sights.set(name, sight)
      found.set(name, entry)
    }
    return found
  }
}
