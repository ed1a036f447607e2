import type { Clock } from './clock.js'

/** Sleeps on a clock until its time is up or someone calls {@link InterruptibleSleep.end}; later sleeps then last no time. */
export class InterruptibleSleep {
  readonly #clock: Clock
  #isOver = false
  #finish: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves after `ms`, or at the end. One caller at a time. */
  sleep(ms: number): Promise<void> {
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

  /** End the sleep under way and all later ones. */
  end(): void {
    this.#isOver = true
    this.#finish?.()
  }
}
