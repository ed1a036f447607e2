import type { Clock } from '../util/clock.js'

/** Sleeps that can be ended for good. */
export class Nap {
  readonly #clock: Clock
  #isOver = false
  #wake: () => void = () => undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after this many milliseconds, or at the end. */
  take(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  /** End the present sleep and every later one. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }
}
