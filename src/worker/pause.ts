import type { Clock } from '../util/clock.js'

/** A wait that can be ended from outside. After {@link Pause.end} no wait lasts any more. */
export class Pause {
  readonly #clock: Clock
  #isOver = false
  #finish: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after `ms`, or when the pause is ended. One caller at a time. */
  wait(ms: number): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(ms, () => this.#finish?.())
      this.#finish = () => {
        cancel()
        this.#finish = undefined
        resolve()
      }
    })
  }

  /** End the wait under way and all later ones. */
  end(): void {
    this.#isOver = true
    this.#finish?.()
  }
}
