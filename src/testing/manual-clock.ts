import { setImmediate } from 'node:timers/promises'

import type { Clock } from '../util/clock.js'
import { toMs, type DurationInput } from '../util/duration.js'

interface Timer {
  readonly atMs: number
  readonly fire: () => void
}

/**
 * A clock that stands still until a test moves it.
 *
 * What is due runs in the order of its moments, each with the clock at its own moment, so that a timer set by a
 * timer runs in the same `advance` when it falls within it.
 *
 * @example
 * ```ts
 * const clock = new ManualClock()
 * clock.setTimer(3_600_000, () => console.log('an hour later'))
 * await clock.advance({ hours: 1 })
 * ```
 */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<Timer>()

  /** @param start - Where the clock stands; the present moment when left out. */
  constructor(start: Date | number = Date.now()) {
    this.#nowMs = typeof start === 'number' ? start : start.getTime()
  }

  /** Timers that wait; 0 shows that nothing was left behind. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), fire: fn }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** Move on by a length of time and run what falls due on the way, with what it awaits. */
  async advance(by: DurationInput): Promise<void> {
    await this.advanceTo(this.#nowMs + toMs(by, 'advance'))
  }

  /** Move on to a moment, in epoch milliseconds or as a date; a moment in the past only runs what is due. */
  async advanceTo(moment: Date | number): Promise<void> {
    const targetMs = typeof moment === 'number' ? moment : moment.getTime()
    await settle()
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.#timers.delete(next)
      next.fire()
      await settle()
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs)
    await settle()
  }

  #nextDue(targetMs: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.atMs > targetMs) continue
      if (next === undefined || timer.atMs < next.atMs) next = timer
    }
    return next
  }
}

/** Two turns of the event loop: what a timer started has come to its own next wait by then. */
async function settle(): Promise<void> {
  await setImmediate()
  await setImmediate()
}
