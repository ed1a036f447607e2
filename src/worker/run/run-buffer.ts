import { StalledPrefetch } from '../../broker/stalled-prefetch.js'
import type { Clock } from '../../util/clock.js'
import type { ClaimWindow } from '../claim/claim-window.js'
import type { Run } from './run.js'

/** What a {@link RunBuffer} works with. */
export interface RunBufferParts {
  readonly clock: Clock
  /** Counts what is here. */
  readonly window: ClaimWindow
  /** How long runs may wait without any of them getting a slot, in milliseconds. */
  readonly stalledMs: number
  /** Nothing got a slot for that long: give back what waits, for others to claim. */
  readonly stalled: () => void
}

/**
 * Runs that wait for a slot, in the order in which they came. They do not wait behind long tasks: one timer, only while
 * something waits, notices when none gets its turn.
 */
export class RunBuffer {
  readonly #parts: RunBufferParts
  #runs: Run[] = []
  #head = 0
  readonly #stalled: StalledPrefetch

  constructor(parts: RunBufferParts) {
    this.#parts = parts
    this.#stalled = new StalledPrefetch({
      clock: parts.clock,
      afterMs: parts.stalledMs,
      isWaiting: () => this.size > 0,
      giveBack: parts.stalled,
    })
  }

  /** How many wait. */
  get size(): number {
    return this.#runs.length - this.#head
  }

  /** One more waits. */
  add(run: Run): void {
    this.#runs.push(run)
    this.#parts.window.buffered()
  }

  /** Take the first one out, to start it. */
  next(): Run | undefined {
    const run = this.#runs[this.#head]
    if (run === undefined) return undefined
    this.#head += 1
    this.#stalled.taken += 1
    this.#parts.window.unbuffered()
    if (this.#head === this.#runs.length) {
      this.#runs = []
      this.#head = 0
    }
    return run
  }

  /** Take out all that are wanted. */
  take(isWanted: (run: Run) => boolean = () => true): readonly Run[] {
    const waiting = this.#runs.slice(this.#head)
    const taken = waiting.filter(isWanted)
    this.#runs = waiting.filter((run) => !isWanted(run))
    this.#head = 0
    for (let count = taken.length; count > 0; count -= 1) this.#parts.window.unbuffered()
    return taken
  }

  /** Watch what waits now. */
  watch(): void {
    if (this.size > 0) this.#stalled.watch()
  }

  /** Drop the timer. */
  stop(): void {
    this.#stalled.stop()
  }
}
