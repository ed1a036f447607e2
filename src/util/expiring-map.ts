import type { Clock } from './clock.js'

interface Kept<Value> {
  readonly value: Value
  /** Epoch milliseconds; `Infinity` for never. */
  readonly expiresAtMs: number
}

/** Writes between two sweeps, at least; more when the map is large, so that sweeping costs each write the same. */
const WRITES_PER_SWEEP = 1000

/** A map whose entries are gone after their time, without a timer: they are swept now and then, and never read late. */
export class ExpiringMap<Value> {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept<Value>>()
  #writesToSweep = WRITES_PER_SWEEP

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keep a value for `ttlMs` milliseconds from now; 0 keeps it until deleted. */
  set(key: string, value: Value, ttlMs: number): void {
    const expiresAtMs = ttlMs === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ttlMs
    this.#kept.set(key, { value, expiresAtMs })
    this.#writesToSweep -= 1
    if (this.#writesToSweep <= 0) this.sweep()
  }

  /** A value whose time is not over. */
  get(key: string): Value | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (kept.expiresAtMs > this.#clock.now()) return kept.value
    this.#kept.delete(key)
    return undefined
  }

  /** Remove a value; harmless when it is not there. */
  delete(key: string): void {
    this.#kept.delete(key)
  }

  /** Drop what has expired; returns how many that were. */
  sweep(): number {
    const nowMs = this.#clock.now()
    const before = this.#kept.size
    for (const [key, kept] of this.#kept) {
      if (kept.expiresAtMs <= nowMs) this.#kept.delete(key)
    }
    this.#writesToSweep = Math.max(WRITES_PER_SWEEP, this.#kept.size)
    return before - this.#kept.size
  }
}
