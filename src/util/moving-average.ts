/** An exponential moving average. */
export class MovingAverage {
  readonly #weight: number
  #value = 0
  #seen = 0

  /** @param weight - Share of the newest value, from 0 to 1. */
  constructor(weight: number) {
    this.#weight = weight
  }

  /** The average; 0 before the first value. */
  get value(): number {
    return this.#value
  }

  /** How many values there were. */
  get seen(): number {
    return this.#seen
  }

  /** @param count - How many values this one stands for. */
  add(value: number, count = 1): void {
    this.#value = this.#seen === 0 ? value : this.#value + (value - this.#value) * this.#weight
    this.#seen += count
  }

  /** Forget what was seen. */
  reset(): void {
    this.#value = 0
    this.#seen = 0
  }
}
