import { NotBegun } from './failure.js'

/** Lets one piece of work through at a time, in the order they came. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Do `work` when everything before it has ended, however it ended.
   *
   * @throws {@link NotBegun} as soon as `signal` aborts before its turn has come; then it is never done.
   */
  async run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    let isWaiting = true
    const begin = (): Promise<Result> => {
      if (signal?.aborted === true) return Promise.reject(new NotBegun())
      isWaiting = false
      return work()
    }
    const mine = this.#last.then(begin, begin)
    this.#last = mine
    if (signal === undefined) return mine
    return orAborted(mine, signal, () => isWaiting)
  }
}

/** What `work` resolves with, or {@link NotBegun} when `signal` aborts while it waits. */
export function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  isWaiting: () => boolean,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      if (isWaiting()) reject(new NotBegun())
    }
    signal.addEventListener('abort', aborted, { once: true })
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', aborted)
    })
  })
}
