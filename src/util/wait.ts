import { systemClock } from './clock.js'
import type { Clock } from './clock.js'

/** How long a wait may take, and what ends it early. */
export interface WaitOptions {
  /** Longest wait in milliseconds. */
  readonly ms: number
  readonly signal: AbortSignal
  /**
   * Where time comes from.
   *
   * @defaultValue the machine's clock
   */
  readonly clock?: Clock
  /** Is given a function that ends the wait; what it returns is called after the wait. */
  readonly until: (end: () => void) => () => void
}

/** Wait until the time is up, the signal aborts, or `until` ends it. */
export function wait({ ms, signal, until, clock = systemClock }: WaitOptions): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      cancel()
      signal.removeEventListener('abort', end)
      stop()
      resolve()
    }
    // A timer takes whole milliseconds, and whoever waits for a moment must not look just before it.
    const cancel = clock.setTimer(Math.max(1, Math.ceil(ms)), end)
    signal.addEventListener('abort', end, { once: true })
    const stop = until(end)
  })
}
