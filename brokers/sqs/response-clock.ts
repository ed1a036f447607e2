import { isRecord } from '../../src/util/record.js'

/** How long a moment that the service gave counts for its clock, in milliseconds: clocks drift, and are set. */
const WINDOW_MS = 60_000

/**
 * The service's clock as its answers tell it, this machine's before the first. It never runs ahead: a moment in an answer is
 * over when that is read, so the latest of them is nearest. The `Date` header counts whole seconds, receipts milliseconds.
 */
export class ResponseClock {
  readonly #elapsedMs: () => number
  /** What the service's clock is ahead of `#elapsedMs` at least: of this window, and of the one before. */
  #aheadMs = Number.NEGATIVE_INFINITY
  #earlierMs = Number.NEGATIVE_INFINITY
  #sinceMs = Number.NEGATIVE_INFINITY

  /** @param elapsedMs - Milliseconds that never jump. */
  constructor(elapsedMs: () => number = () => performance.now()) {
    this.#elapsedMs = elapsedMs
  }

  /** Whether an answer has given the time. */
  get hasTime(): boolean {
    return Number.isFinite(this.#aheadMs)
  }

  /** Read the `Date` header of an answer, if it has one. */
  noteHeader(response: unknown): void {
    const headers = isRecord(response) ? response['headers'] : undefined
    const date = isRecord(headers) ? headers['date'] : undefined
    if (typeof date === 'string') this.note(Date.parse(date))
  }

  /** Note a moment of the service, in epoch milliseconds, that is over; `NaN` is none. */
  note(atMs: number): void {
    if (Number.isNaN(atMs)) return
    const elapsedMs = this.#elapsedMs()
    if (elapsedMs - this.#sinceMs > WINDOW_MS) {
      this.#earlierMs = this.#aheadMs
      this.#aheadMs = Number.NEGATIVE_INFINITY
      this.#sinceMs = elapsedMs
    }
    this.#aheadMs = Math.max(this.#aheadMs, atMs - elapsedMs)
  }

  /** The present moment at the service, in epoch milliseconds, or up to a second earlier. */
  now(): number {
    return this.hasTime ? this.#elapsedMs() + Math.max(this.#aheadMs, this.#earlierMs) : Date.now()
  }
}
