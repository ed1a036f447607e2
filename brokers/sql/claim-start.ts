import type { QueuePosition } from './dialect/dialect.js'

/** A look at everything that takes longer than this, in milliseconds, has passed over much that is gone. */
const SLOW_MS = 50
/** How much longer than such a look the time after it is in which none is made. */
const REST = 9

/**
 * Where claims begin while rows that are gone lie in front of those that are ready: as long as another session has an old
 * snapshot, PostgreSQL cannot clean them up, and each look from the start would pass over all of them again.
 *
 * What becomes ready before that place (handed back, promoted, of higher priority) waits for the next look at everything,
 * which gets a tenth of the time. Where such looks are quick, all are of this kind.
 */
export class ClaimStart {
  readonly #places = new Map<string, QueuePosition>()
  #wholeAtMs = 0

  /** Where to begin in each queue; `undefined` when everything is to be looked at. */
  get places(): ReadonlyMap<string, QueuePosition> | undefined {
    return this.untilWholeMs > 0 ? this.#places : undefined
  }

  /** How long until everything is looked at again, in milliseconds; 0 or less when the next look does so. */
  get untilWholeMs(): number {
    return this.#wholeAtMs - performance.now()
  }

  /** Everything was looked at, which took this long. */
  looked(tookMs: number): void {
    this.#wholeAtMs = tookMs < SLOW_MS ? 0 : performance.now() + REST * tookMs
  }

  /** The last row, in their order, that was claimed of a queue. */
  claimed(queue: string, place: QueuePosition): void {
    this.#places.set(queue, place)
  }
}
