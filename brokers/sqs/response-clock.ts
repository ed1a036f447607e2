import { isRecord } from '../../src/util/record.js'

/** The header counts whole seconds, rounded down. */
const HALF_A_SECOND_MS = 500

/** The service's clock, as the `Date` header of its answers tells it; this machine's before the first. */
export class ResponseClock {
  /** What the service's clock is ahead of this process's monotonic one. */
  #aheadMs: number | undefined

  /** Whether an answer has told the time. */
  get hasTime(): boolean {
    return this.#aheadMs !== undefined
  }

  /** Read the time of an answer, if it tells one. */
  note(response: unknown): void {
    const headers = isRecord(response) ? response['headers'] : undefined
    const date = isRecord(headers) ? headers['date'] : undefined
    const atMs = typeof date === 'string' ? Date.parse(date) : Number.NaN
    if (Number.isNaN(atMs)) return
    this.#aheadMs = atMs + HALF_A_SECOND_MS - performance.now()
  }

  /** The present moment at the service, in epoch milliseconds. */
  now(): number {
    return this.#aheadMs === undefined ? Date.now() : performance.now() + this.#aheadMs
  }
}
