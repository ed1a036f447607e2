import type { Clock } from '../util/clock.js'

/** What a {@link StalledPrefetch} watches. */
export interface StalledPrefetchOptions {
  readonly clock: Clock
  /** How long deliveries may wait without any of them being taken, in milliseconds. */
  readonly afterMs: number
  /** Whether deliveries wait that no fetch asks for. */
  readonly isWaiting: () => boolean
  /** Give the waiting deliveries back. */
  readonly giveBack: () => void
}

/**
 * Hands prefetched deliveries back when none of them was taken for a while, so that other workers can run them. One timer,
 * and only while some wait.
 */
export class StalledPrefetch {
  /** Deliveries taken so far; its owner counts. */
  taken = 0
  readonly #options: StalledPrefetchOptions
  #cancel: (() => void) | undefined
  #takenBefore = 0

  constructor(options: StalledPrefetchOptions) {
    this.#options = options
  }

  /** A delivery waits. */
  watch(): void {
    if (this.#cancel !== undefined) return
    this.#takenBefore = this.taken
    this.#cancel = this.#options.clock.setTimer(this.#options.afterMs, () => this.#check(), { unref: true })
  }

  /** Drop the timer. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #check(): void {
    this.#cancel = undefined
    if (!this.#options.isWaiting()) return
    if (this.taken === this.#takenBefore) this.#options.giveBack()
    else this.watch()
  }
}
