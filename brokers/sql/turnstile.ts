/** Lets one piece of work through at a time, in the order they came. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve()

  /** Do `work` when everything before it has ended, however it ended. */
  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#last.then(work, work)
    this.#last = mine
    return mine
  }
}
