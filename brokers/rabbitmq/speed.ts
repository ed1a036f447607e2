import { MovingAverage } from '../../src/util/moving-average.js'

const FAST_MS = 50
const WEIGHT = 0.2
const LEAST_SEEN = 8

/** Whether deliveries are settled so quickly that it pays to have the next ones here before they are asked for. */
export class Speed {
  readonly #heldMs = new MovingAverage(WEIGHT)

  /** Whether it pays. */
  get isFast(): boolean {
    return this.#heldMs.seen >= LEAST_SEEN && this.#heldMs.value < FAST_MS
  }

  /** `count` deliveries were settled, on average so long after they were handed out. */
  observe(heldMs: number, count: number): void {
    this.#heldMs.add(heldMs, count)
  }

  /** Forget what was seen. */
  reset(): void {
    this.#heldMs.reset()
  }
}
