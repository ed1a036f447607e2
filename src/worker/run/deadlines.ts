import type { Clock } from '../../util/clock.js'
import { Heap } from '../../util/heap.js'

/** Something that ends at a moment. Its owner keeps it and gives it back to {@link Deadlines.remove}. */
export interface Deadline {
  /** Moment on the monotonic clock, in milliseconds. Only {@link Deadlines} writes it. */
  atMs: number
  /** Place in the heap; -1 outside of it. Only {@link Deadlines} writes it. */
  place: number
  /** Called once when the moment has come; it may add and remove deadlines. */
  expire(): void
}

/** Where {@link Deadlines} take time from. */
export interface DeadlineTime {
  readonly clock: Clock
  /** Milliseconds that never jump. */
  readonly elapsedMs: () => number
}

/**
 * All time limits of a worker behind one timer.
 *
 * A task that ends early leaves at once: with short tasks under a long limit, forgotten entries would pile up for as long
 * as the limit.
 */
export class Deadlines {
  readonly #time: DeadlineTime
  readonly #heap = new Heap<Deadline>(
    (one, other) => one.atMs < other.atMs,
    (deadline, place) => {
      deadline.place = place
    },
  )
  #cancel: (() => void) | undefined
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(time: DeadlineTime) {
    this.#time = time
  }

  /** How many deadlines wait. */
  get size(): number {
    return this.#heap.size
  }

  /** Let `deadline` expire in `afterMs`. */
  add(deadline: Deadline, afterMs: number): void {
    deadline.atMs = this.#time.elapsedMs() + afterMs
    this.#heap.push(deadline)
    if (deadline.place === 0) this.#arm()
  }

  /** Take `deadline` out; nothing happens when it is not in. */
  remove(deadline: Deadline): void {
    // An emptied heap keeps its timer: it fires once for nothing, which is cheaper than one timer for each task.
    if (deadline.place >= 0) this.#heap.remove(deadline.place)
  }

  /** Drop every deadline and the timer. */
  clear(): void {
    this.#heap.clear()
    this.#disarm()
  }

  #arm(): void {
    const first = this.#heap.peek()
    if (first === undefined || first.atMs >= this.#armedForMs) return
    this.#disarm()
    this.#armedForMs = first.atMs
    const fire = (): void => this.#fire()
    this.#cancel = this.#time.clock.setTimer(
      Math.max(0, Math.ceil(first.atMs - this.#time.elapsedMs())),
      fire,
      {
        unref: true,
      },
    )
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#disarm()
    const nowMs = this.#time.elapsedMs()
    for (
      let first = this.#heap.peek();
      first !== undefined && first.atMs <= nowMs;
      first = this.#heap.peek()
    ) {
      this.remove(first)
      first.expire()
    }
    this.#arm()
  }
}
