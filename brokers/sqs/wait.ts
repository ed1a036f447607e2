/** How long a wait may take, and what ends it early. */
export interface WaitOptions {
  readonly ms: number
  readonly signal: AbortSignal
  /** Is given a function that ends the wait; what it returns is called after the wait. */
  readonly until: (end: () => void) => () => void
}

/** Wait until the time is up, the signal aborts, or `until` ends it. */
export function wait(options: WaitOptions): Promise<void> {
  if (options.signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', end)
      stop()
      resolve()
    }
    const timer = setTimeout(end, Math.max(1, Math.ceil(options.ms)))
    options.signal.addEventListener('abort', end, { once: true })
    const stop = options.until(end)
  })
}
