import type { Clock } from '../../util/clock.js'

/** What a {@link StalledPrefetch} watches. */
export interface StalledPrefetchOptions {
  readonly clock: Clock
  /** How long buffered deliveries may wait without any run beginning, in milliseconds. */
  readonly afterMs: number
  /** Give the buffered deliveries back; whether any are left is asked before. */
  readonly giveBack: () => void
  readonly buffered: () => number
}

/**
 * Sees to it that deliveries read ahead do not wait behind long tasks: when none of them got a slot for a while, they
 * go back for others to claim. One timer, and only while something is buffered.
 */
export class StalledPrefetch {
  /** Runs begun so far; written by the dispatcher. */
  started = 0
  readonly #options: StalledPrefetchOptions
  #cancel: (() => void) | undefined
  #startedBefore = 0

  constructor(options: StalledPrefetchOptions) {
    this.#options = options
  }

  /** Something is buffered. */
  watch(): void {
    if (this.#cancel !== undefined) return
    this.#startedBefore = this.started
    this.#cancel = this.#options.clock.setTimer(this.#options.afterMs, () => this.#look(), { unref: true })
  }

  /** Drop the timer. */
  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(): void {
    this.#cancel = undefined
    if (this.#options.buffered() === 0) return
    if (this.started === this.#startedBefore) this.#options.giveBack()
    else this.watch()
  }
}
