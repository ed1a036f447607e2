import type { Clock } from '../../src/util/clock.js'

/** One timer for a whole store: it rings at the earliest moment anyone asked for. */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #setForMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined

  /** @param ring - Called after each time it was set for; sets the alarm anew if more is to come. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Ring at `atMs` (epoch milliseconds) or before. It does not keep the process alive. */
  by(atMs: number): void {
    if (atMs >= this.#setForMs) return
    this.#cancel?.()
    this.#setForMs = atMs
    this.#cancel = this.#clock.setTimer(
      Math.max(0, atMs - this.#clock.now()),
      () => {
        this.#setForMs = Number.POSITIVE_INFINITY
        this.#ring()
      },
      { unref: true },
    )
  }
}
