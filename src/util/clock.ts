/** How a timer behaves. */
export interface TimerOptions {
  /**
   * Let the process end while the timer waits.
   *
   * @defaultValue `false`
   */
  readonly unref?: boolean
}

/** Where time comes from; tests put one in that they move by hand. */
export interface Clock {
  /** The present moment, in epoch milliseconds. */
  now(): number
  /**
   * Call `fn` once after `delayMs` milliseconds, which may be longer than a Node timer holds, or `Infinity`.
   *
   * @returns Cancels the timer; harmless after it fired.
   */
  setTimer(delayMs: number, fn: () => void, options?: TimerOptions): () => void
}

/** Node fires at once when a delay does not fit 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The clock of this machine. */
export const systemClock: Clock = {
  now(): number {
    return Date.now()
  },

  setTimer(delayMs: number, fn: () => void, options: TimerOptions = {}): () => void {
    let timer: NodeJS.Timeout
    let leftMs = Math.max(0, delayMs)
    const arm = (): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS)
      leftMs -= stepMs
      timer = setTimeout(leftMs > 0 ? arm : fn, stepMs)
      if (options.unref === true) timer.unref()
    }
    arm()
    return () => {
      clearTimeout(timer)
    }
  },
}
