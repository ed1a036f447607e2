import type { RecordWatch } from '../../src/backend/contract.js'
import type { SqlStore } from '../../brokers/sql/store.js'

interface Watched {
  mark: string | undefined
  readonly listeners: Set<() => void>
}

// At most a quarter of the time is spent on looking, however many ids are watched.
const SHARE = 3
const LEAST_GAP_MS = 1

/**
 * Watches result rows for changes by any process: after each commit one query for all ids watched.
 *
 * A slow poll stands behind the notice of commits, and keeps the process alive while somebody waits.
 */
export class RecordWatcher {
  readonly #store: SqlStore
  readonly #watched = new Map<string, Watched>()
  #unsubscribe: (() => void) | undefined
  #poll: NodeJS.Timeout | undefined
  #gap: NodeJS.Timeout | undefined
  #looking = false
  #again = false

  constructor(store: SqlStore) {
    this.#store = store
  }

  /** Call `changed` after one of these rows changed, until the result is closed. */
  watch(taskIds: readonly string[], changed: () => void): RecordWatch {
    const listener = (): void => {
      changed()
    }
    for (const taskId of taskIds) this.#add(taskId, listener)
    this.#start()
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
    this.#stop()
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
    if (this.#watched.size === 0) this.#stop()
  }

  #start(): void {
    if (this.#unsubscribe !== undefined) return
    const look = (): void => {
      this.#look()
    }
    this.#unsubscribe = this.#store.wake.subscribe(look)
    this.#poll = setInterval(look, this.#store.target.pollMs)
    // What was stored between the caller's load and now is told by the first look.
    look()
  }

  #stop(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    clearInterval(this.#poll)
    clearTimeout(this.#gap)
    this.#gap = undefined
  }

  #look(): void {
    this.#again = true
    if (this.#looking || this.#gap !== undefined) return
    this.#looking = true
    const startedMs = performance.now()
    const rest = (): void => {
      this.#looking = false
      if (this.#unsubscribe === undefined) return
      this.#gap = setTimeout(
        () => {
          this.#gap = undefined
          if (this.#again) this.#look()
        },
        Math.max(LEAST_GAP_MS, (performance.now() - startedMs) * SHARE),
      )
    }
    // A failure is not lost: whoever waits loads, and meets it there.
    this.#compare().then(rest, rest)
  }

  async #compare(): Promise<void> {
    this.#again = false
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
