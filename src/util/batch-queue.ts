/**
 * What waits to be written in batches. After a batch was refused, its members go one by one: the others must not suffer for
 * one.
 */
export class BatchQueue<Item> {
  #waiting: Item[] = []
  #single = 0

  /** How many wait. */
  get size(): number {
    return this.#waiting.length
  }

  /** One more waits. */
  push(item: Item): void {
    this.#waiting.push(item)
  }

  /** Take out the next batch. @param most - How many it may be at most. */
  take(most: number = Number.POSITIVE_INFINITY): Item[] {
    if (this.#single > 0) {
      this.#single -= 1
      return this.#waiting.splice(0, 1)
    }
    return this.#waiting.length > most ? this.#waiting.splice(0, most) : this.clear()
  }

  /** Put back, in front, what is to be tried again. */
  putBack(batch: readonly Item[]): void {
    this.#waiting = [...batch, ...this.#waiting]
  }

  /** Put back, in front, what is to be tried again one by one. */
  putBackSingly(batch: readonly Item[]): void {
    this.putBack(batch)
    this.#single += batch.length
  }

  /** Take out everything. */
  clear(): Item[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }
}
