import { MovingAverage } from '../../util/moving-average.js'

/** How far a worker may read ahead. */
export interface ReadAheadOptions {
  readonly concurrency: number
  /** Work to hold beyond the free slots, in milliseconds at the measured speed. */
  readonly readAheadMs: number
  /** Claims are bounded by this times the concurrency; 1 turns reading ahead off, `Infinity` sets no bound. */
  readonly prefetchMultiplier: number
}

/** Batches above this win nothing more. */
export const MOST_AT_ONCE = 128
/** One batch that runs and one that is fetched meanwhile; more would only hold more messages in one worker. */
const MOST = 2 * MOST_AT_ONCE
const WEIGHT = 0.1
const LEAST_SEEN = 4

/**
 * How many deliveries beyond the free slots a worker claims: as many as end within {@link ReadAheadOptions.readAheadMs}
 * at the speed measured so far. Nothing is read ahead before a speed was measured.
 *
 * The answer is a power of two, so that it rarely changes.
 */
export class ReadAhead {
  readonly #options: ReadAheadOptions
  readonly #most: number
  /** Of a task's run time, in milliseconds. */
  readonly #runMs = new MovingAverage(WEIGHT)
  #current = 0

  constructor(options: ReadAheadOptions) {
    this.#options = options
    this.#most = mostAhead(options)
  }

  /** Deliveries to hold beyond the running ones. */
  get count(): number {
    return this.#current
  }

  /** Largest value that {@link count} can take. */
  get most(): number {
    return this.#most
  }

  /** A task ran for this long. */
  observe(runMs: number): void {
    if (this.#most === 0) return
    this.#runMs.add(runMs)
    // One quick task at the start says little about the rest.
    if (this.#runMs.seen >= Math.max(LEAST_SEEN, this.#options.concurrency)) this.#current = this.#target()
  }

  /** Forget the speed: what was read ahead did not get its turn in time. */
  reset(): void {
    this.#runMs.reset()
    this.#current = 0
  }

  #target(): number {
    const { readAheadMs, concurrency } = this.#options
    const exact = (readAheadMs / Math.max(this.#runMs.value, 0.001)) * concurrency
    if (exact >= this.#most) return this.#most
    return exact < 1 ? 0 : 2 ** Math.floor(Math.log2(exact))
  }
}

function mostAhead({ concurrency, prefetchMultiplier, readAheadMs }: ReadAheadOptions): number {
  if (readAheadMs <= 0) return 0
  if (prefetchMultiplier === Number.POSITIVE_INFINITY) return MOST
  return Math.max(0, Math.min(MOST, Math.floor((prefetchMultiplier - 1) * concurrency)))
}
