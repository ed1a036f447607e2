import type { Clock } from '../../util/clock.js'

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
 * A binary heap whose members know their place, so that a task that ends early leaves at once: with short tasks under
 * a long limit, forgotten entries would pile up for as long as the limit.
 */
export class Deadlines {
  readonly #time: DeadlineTime
  readonly #heap: Deadline[] = []
  #cancel: (() => void) | undefined
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(time: DeadlineTime) {
    this.#time = time
  }

  /** How many deadlines wait. */
  get size(): number {
    return this.#heap.length
  }

  /** Let `deadline` expire in `afterMs`. */
  add(deadline: Deadline, afterMs: number): void {
    deadline.atMs = this.#time.elapsedMs() + afterMs
    deadline.place = this.#heap.length
    this.#heap.push(deadline)
    this.#rise(deadline)
    if (deadline.place === 0) this.#arm()
  }

  /** Take `deadline` out; nothing happens when it is not in. */
  remove(deadline: Deadline): void {
    const place = deadline.place
    if (place < 0) return
    deadline.place = -1
    const last = this.#heap.pop()
    // An emptied heap keeps its timer: it fires once for nothing, which is cheaper than one timer for each task.
    if (last === undefined || last === deadline) return
    this.#put(last, place)
    this.#rise(last)
    this.#sink(last)
  }

  /** Drop every deadline and the timer. */
  clear(): void {
    for (const deadline of this.#heap) deadline.place = -1
    this.#heap.length = 0
    this.#disarm()
  }

  #arm(): void {
    const first = this.#heap[0]
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
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.remove(first)
      first.expire()
    }
    this.#arm()
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline
    deadline.place = place
  }

  #rise(deadline: Deadline): void {
    let place = deadline.place
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#heap[parentPlace]
      if (parent === undefined || parent.atMs <= deadline.atMs) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(deadline, place)
  }

  #sink(deadline: Deadline): void {
    let place = deadline.place
    for (;;) {
      const child = this.#smallerChild(place)
      if (child === undefined || child.atMs >= deadline.atMs) break
      const childPlace = child.place
      this.#put(child, place)
      place = childPlace
    }
    this.#put(deadline, place)
  }

  #smallerChild(place: number): Deadline | undefined {
    const left = this.#heap[2 * place + 1]
    const right = this.#heap[2 * place + 2]
    if (left === undefined || right === undefined) return left
    return right.atMs < left.atMs ? right : left
  }
}
