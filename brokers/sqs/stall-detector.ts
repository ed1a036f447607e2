import { monotonicMs } from '../../src/util/monotonic.js'

const TICK_MS = 500

/**
 * Notices when this thread, or its process, did not get to run: an answer that is read after that may be old, and the
 * claims that it brought over.
 */
export class StallDetector {
  readonly #timer: NodeJS.Timeout
  #tickMs = monotonicMs()
  /** The last stall: from when, and until when at most. */
  #last = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.NEGATIVE_INFINITY }

  constructor() {
    this.#timer = setInterval(() => {
      this.#tick()
    }, TICK_MS).unref()
  }

  /** The beginning of a stall that ended after `sinceMs`, both on {@link monotonicMs}; undefined when there was none. */
  since(sinceMs: number): number | undefined {
    this.#tick()
    return this.#last.untilMs > sinceMs ? this.#last.fromMs : undefined
  }

  /** Notice none any more. */
  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const nowMs = monotonicMs()
    if (nowMs - this.#tickMs > 2 * TICK_MS) this.#last = { fromMs: this.#tickMs, untilMs: nowMs }
    this.#tickMs = nowMs
  }
}
