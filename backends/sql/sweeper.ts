import { setTimeout as sleep } from 'node:timers/promises'

// A slice holds the write lock for milliseconds; between two of them others have their turn.
const SLICE = 1000
const PAUSE_MS = 20
const EVERY_MS = 60_000

/** Deletes up to `limit` rows and tells how many there were. */
export type DropSlice = (limit: number) => Promise<number>

/** Deletes expired rows beside the stores that make new ones, so that nobody has to call `cleanup`. */
export class Sweeper {
  readonly #drop: DropSlice
  readonly #elapsedMs: () => number
  #nextMs = 0
  #sweeping: Promise<void> | undefined
  #closed = false

  /** @param elapsedMs - A monotonic clock in milliseconds. */
  constructor(drop: DropSlice, elapsedMs: () => number = () => performance.now()) {
    this.#drop = drop
    this.#elapsedMs = elapsedMs
  }

  /** Rows were stored: sweep soon, unless a sweep began within the last minute. Never waits, never throws. */
  stored(): void {
    if (this.#sweeping !== undefined || this.#closed || this.#elapsedMs() < this.#nextMs) return
    // Processes that were started together do not sweep together.
    this.#nextMs = this.#elapsedMs() + EVERY_MS * (1 + 0.2 * Math.random())
    this.#sweeping = this.#inBackground()
  }

  /** Delete everything that has expired, a slice at a time; the number deleted. */
  async sweep(): Promise<number> {
    let total = 0
    for (;;) {
      const dropped = await this.#drop(SLICE)
      total += dropped
      if (dropped < SLICE || this.#closed) return total
      await sleep(PAUSE_MS, undefined, { ref: false })
    }
  }

  /** Resolves when no sweep is under way; none begins afterwards. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#sweeping
  }

  async #inBackground(): Promise<void> {
    try {
      // Whatever stored the rows may still be in its transaction.
      await sleep(0, undefined, { ref: false })
      if (!this.#closed) await this.sweep()
    } catch {
      // The next sweep meets the same rows.
    } finally {
      this.#sweeping = undefined
    }
  }
}
