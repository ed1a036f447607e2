import type { Clock } from '../util/clock.js'
import type { Broker } from './contract.js'

/** Where a {@link StoreClock} gets time from. */
export interface StoreClockParts {
  /** The clock where the store has none. */
  readonly clock: Clock
  /** Milliseconds that never jump. */
  readonly elapsedMs: () => number
}

/** Longest round trip of a measurement that replaces an earlier one: the error is up to half of it. */
const LONG_TRIP_MS = 1_000
const FRESH_MS = 30_000

/** The clock of a store, asked for now and then: what is due or expired is the same for every worker. */
export class StoreClock {
  readonly #parts: StoreClockParts
  /** What the store's clock is ahead of {@link StoreClockParts.elapsedMs}. */
  #aheadMs: number | undefined
  #measuredMs = Number.NEGATIVE_INFINITY

  constructor(parts: StoreClockParts) {
    this.#parts = parts
  }

  /** The present moment, in epoch milliseconds. */
  now(): number {
    const { clock, elapsedMs } = this.#parts
    return this.#aheadMs === undefined ? clock.now() : elapsedMs() + this.#aheadMs
  }

  /** Ask the store unless its answer is fresh. Rejects as {@link measure}. */
  async refresh(broker: Broker): Promise<void> {
    if (this.#parts.elapsedMs() - this.#measuredMs > FRESH_MS) await this.measure(broker)
  }

  /** Ask the store. Rejects as the broker does, and then goes on with what it knows. */
  async measure(broker: Broker): Promise<void> {
    if (broker.serverTime === undefined) return
    const { elapsedMs } = this.#parts
    const askedMs = elapsedMs()
    const serverMs = await broker.serverTime()
    const answeredMs = elapsedMs()
    if (this.#aheadMs !== undefined && answeredMs - askedMs > LONG_TRIP_MS) return
    this.#aheadMs = serverMs - (askedMs + answeredMs) / 2
    this.#measuredMs = answeredMs
  }
}
