/** Fetches that wait until something happens. */
export class Waiters {
  #waiting = new Set<() => void>()
  #isDue = false

  /** How many wait. */
  get count(): number {
    return this.#waiting.size
  }

  /** Resolves when woken, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done, { once: true })
      this.#waiting.add(done)
    })
  }

  /** Wake all. */
  wake(): void {
    for (const done of [...this.#waiting]) done()
  }

  /** Wake all when what came in one piece has been looked at. */
  wakeSoon(): void {
    if (this.#isDue || this.#waiting.size === 0) return
    this.#isDue = true
    queueMicrotask(() => {
      this.#isDue = false
      this.wake()
    })
  }
}
