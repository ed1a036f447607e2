const FAST_MS = 50
const WEIGHT = 0.2
const LEAST_SEEN = 8

/** Whether deliveries are settled so quickly that it pays to have the next ones here before they are asked for. */
export class Speed {
  #averageMs = 0
  #seen = 0

  /** Whether it pays. */
  get isFast(): boolean {
    return this.#seen >= LEAST_SEEN && this.#averageMs < FAST_MS
  }

  /** `count` deliveries were settled, on average so long after they were handed out. */
  observe(heldMs: number, count: number): void {
    this.#averageMs = this.#seen === 0 ? heldMs : this.#averageMs + (heldMs - this.#averageMs) * WEIGHT
    this.#seen += count
  }

  /** Forget what was seen. */
  reset(): void {
    this.#averageMs = 0
    this.#seen = 0
  }
}
