/** Counts what is under way, for whoever has to wait until nothing is. */
export class InFlight {
  #count = 0
  #waiting: (() => void)[] = []

  /** Something began. */
  begin(): void {
    this.#count += 1
  }

  /** It ended, one way or another. */
  end(): void {
    this.#count -= 1
    if (this.#count > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
