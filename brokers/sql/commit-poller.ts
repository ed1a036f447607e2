import type { SqlStore } from './store.js'

/** What to look for, and how often at least. */
export interface CommitPollerOptions {
  /** Look once. A rejection is given to `failed`, and the next look comes all the same. */
  readonly poll: () => Promise<void>
  readonly failed?: (error: unknown) => void
  /** A look by itself, when no commit was noticed, in milliseconds. Keeps the process alive. */
  readonly pollMs: number
}

// At most a quarter of the time is spent on looking, however much a look costs.
const SHARE = 3
const LEAST_GAP_MS = 1

/** Looks into a database after each commit of any process, never twice at once and never without a pause. */
export class CommitPoller {
  readonly #store: SqlStore
  readonly #options: CommitPollerOptions
  #unsubscribe: (() => void) | undefined
  #poll: NodeJS.Timeout | undefined
  #gap: NodeJS.Timeout | undefined
  #looking = false
  #again = false

  constructor(store: SqlStore, options: CommitPollerOptions) {
    this.#store = store
    this.#options = options
  }

  /** Begin, with a look at once. Idempotent. */
  start(): void {
    if (this.#unsubscribe !== undefined) return
    const look = (): void => {
      this.#look()
    }
    this.#unsubscribe = this.#store.wake.subscribe(look)
    this.#poll = setInterval(look, this.#options.pollMs)
    look()
  }

  /** Look soon, as after a commit. */
  look(): void {
    this.#look()
  }

  /** End; a look that is under way finishes. Idempotent. */
  stop(): void {
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
    this.#again = false
    const startedMs = performance.now()
    const rest = (): void => {
      this.#looking = false
      if (this.#unsubscribe === undefined) return
      const gapMs = Math.max(LEAST_GAP_MS, (performance.now() - startedMs) * SHARE)
      this.#gap = setTimeout(() => {
        this.#gap = undefined
        if (this.#again) this.#look()
      }, gapMs)
    }
    this.#options.poll().then(rest, (error: unknown) => {
      rest()
      this.#options.failed?.(error)
    })
  }
}
