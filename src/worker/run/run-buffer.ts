import type { ClaimWindow } from '../claim/claim-window.js'
import type { Run } from './run.js'

/** Runs that wait for a slot, in the order in which they came. */
export class RunBuffer {
  readonly #window: ClaimWindow
  #runs: Run[] = []
  #head = 0

  /** @param window - Counts what is here. */
  constructor(window: ClaimWindow) {
    this.#window = window
  }

  /** How many wait. */
  get size(): number {
    return this.#runs.length - this.#head
  }

  /** One more waits. */
  add(run: Run): void {
    this.#runs.push(run)
    this.#window.buffered()
  }

  /** Take the first one out. */
  next(): Run | undefined {
    const run = this.#runs[this.#head]
    if (run === undefined) return undefined
    this.#head += 1
    this.#window.unbuffered()
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
    for (let count = taken.length; count > 0; count -= 1) this.#window.unbuffered()
    return taken
  }
}
