import type { RecordWatch } from '../../src/backend/contract.js'
import { Lookout } from '../../brokers/sql/lookout.js'
import type { SqlStore } from '../../brokers/sql/store.js'

interface Watched {
  mark: string | undefined
  readonly listeners: Set<() => void>
}

/** Watches result rows for changes by any process: after each commit one query for all ids watched. */
export class RecordWatcher {
  readonly #store: SqlStore
  readonly #lookout: Lookout
  readonly #watched = new Map<string, Watched>()

  constructor(store: SqlStore) {
    this.#store = store
    // A failure is not lost: whoever waits loads, and meets it there.
    this.#lookout = new Lookout(store, { look: () => this.#compare(), pollMs: store.target.pollMs })
  }

  /** Call `changed` after one of these rows changed, until the result is closed. */
  watch(taskIds: readonly string[], changed: () => void): RecordWatch {
    const listener = (): void => {
      changed()
    }
    for (const taskId of taskIds) this.#add(taskId, listener)
    this.#lookout.start()
    // What was stored between the caller's load and now is told by the first look.
    this.#lookout.look()
    return {
      close: async () => {
        for (const taskId of taskIds) this.#remove(taskId, listener)
        await Promise.resolve()
      },
    }
  }

  /** End every watch. */
  close(): void {
    this.#watched.clear()
    this.#lookout.stop()
  }

  #add(taskId: string, listener: () => void): void {
    const known = this.#watched.get(taskId)
    if (known === undefined) this.#watched.set(taskId, { mark: undefined, listeners: new Set([listener]) })
    else known.listeners.add(listener)
  }

  #remove(taskId: string, listener: () => void): void {
    const known = this.#watched.get(taskId)
    known?.listeners.delete(listener)
    if (known?.listeners.size === 0) this.#watched.delete(taskId)
    if (this.#watched.size === 0) this.#lookout.stop()
  }

  async #compare(): Promise<void> {
    const taskIds = [...this.#watched.keys()]
    const { database, dialect } = this.#store
    const marks = await database.read(async (session) => dialect.markResults(session, taskIds))
    const told = new Set<() => void>()
    for (const { taskId, mark } of marks) {
      const watched = this.#watched.get(taskId)
      if (watched === undefined || watched.mark === mark) continue
      watched.mark = mark
      for (const listener of watched.listeners) told.add(listener)
    }
    for (const listener of told) listener()
  }
}
