import type { CommitWatch } from './dialect/dialect.js'

/**
 * Tells whoever waits that the database may have changed.
 *
 * The database is watched from the first listener on. It stays so when the listener goes: a consumer that listens again
 * a moment later must not miss the commit that became visible in between.
 */
export class Wake {
  readonly #watch: CommitWatch
  readonly #listeners = new Set<() => void>()
  #stop: (() => void) | undefined
  #count = 0
  #news = 0

  constructor(watch: CommitWatch) {
    this.#watch = watch
  }

  /** How often something changed; two equal counts mean that nothing was missed in between. */
  get count(): number {
    return this.#count
  }

  /** How often something changed that this process did not do by settling. */
  get news(): number {
    return this.#news
  }

  /** Call `listener` after each change, possibly more often; the result ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    this.#stop ??= this.#watch(() => {
      this.signal()
    })
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Something changed. Known at once within the process, without the way over the file. */
  signal(): void {
    this.#news += 1
    this.settled()
  }

  /** Claims were settled: that may have freed or sent something, and mostly has not. */
  settled(): void {
    this.#count += 1
    for (const listener of [...this.#listeners]) listener()
  }

  /** Stop watching. */
  close(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#listeners.clear()
  }
}
