/** How long a wait may take, and what ends it early. */
export interface WaitOptions {
  /** Longest wait in milliseconds. */
  readonly ms: number
  readonly signal: AbortSignal
  /** Is given a function that ends the wait; what it returns is called after the wait. */
  readonly until: (end: () => void) => () => void
}

/** Wait until the time is up, the signal aborts, or `until` ends it. */
export function wait({ ms, signal, until }: WaitOptions): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      stop()
      resolve()
    }
    // A timer takes whole milliseconds, and whoever waits for a moment must not look just before it.
    const timer = setTimeout(end, Math.max(1, Math.ceil(ms)))
    signal.addEventListener('abort', end, { once: true })
    const stop = until(end)
  })
}
