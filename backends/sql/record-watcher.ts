import type { RecordWatch } from '../../src/backend/contract.js'
import { CommitPoller } from '../../brokers/sql/commit-poller.js'
import type { SqlStore } from '../../brokers/sql/store.js'

interface Watched {
  mark: string | undefined
  readonly listeners: Set<() => void>
}

/** Watches result rows for changes by any process: after each commit one query for all ids watched. */
export class RecordWatcher {
  readonly #connected: () => Promise<SqlStore>
  readonly #watched = new Map<string, Watched>()
  #store: SqlStore | undefined
  #poller: CommitPoller | undefined

  /** @param connected - The store as it is connected now, another one after a connection broke. */
  constructor(connected: () => Promise<SqlStore>) {
    this.#connected = connected
  }

  /** Call `changed` after one of these rows changed, until the result is closed. */
  async watch(taskIds: readonly string[], changed: () => void): Promise<RecordWatch> {
    await this.#follow()
    const listener = (): void => {
      changed()
    }
    for (const taskId of taskIds) this.#add(taskId, listener)
    this.#poller?.start()
    // What was stored between the caller's load and now is told by the first look.
    this.#poller?.look()
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
    this.#poller?.stop()
  }

  /** Look out on the store that is connected now. */
  async #follow(): Promise<void> {
    const store = await this.#connected()
    if (store === this.#store) return
    this.#poller?.stop()
    this.#store = store
    this.#poller = new CommitPoller(store, { poll: () => this.#compare(), pollMs: store.settings.pollMs })
    if (this.#watched.size > 0) this.#poller.start()
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
    if (this.#watched.size === 0) this.#poller?.stop()
  }

  async #compare(): Promise<void> {
    // A failure is not lost: whoever waits loads as well, and meets it there.
    await this.#follow()
    const taskIds = [...this.#watched.keys()]
    const { database, dialect } = await this.#connected()
    const marks = await database.read((session) => dialect.results.marks(session, taskIds))
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
