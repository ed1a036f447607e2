import { systemClock } from './clock.js'
import type { Clock } from './clock.js'

/** A limit on a wait. */
export interface Deadline {
  /** Longest wait in milliseconds; `Infinity` waits for ever. */
  readonly ms: number
  /** Makes the error of a wait that took longer. */
  readonly late: () => Error
  /**
   * Where time comes from.
   *
   * @defaultValue the machine's clock
   */
  readonly clock?: Clock
}

/** What `work` resolves with, unless that takes longer than the deadline; a rejection that comes too late is dropped. */
export function withDeadline<Value>(work: Promise<Value>, deadline: Deadline): Promise<Value> {
  if (deadline.ms === Number.POSITIVE_INFINITY) return work
  const clock = deadline.clock ?? systemClock
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(deadline.ms, () => {
      reject(deadline.late())
    })
    work.then(resolve, reject).finally(cancel)
  })
}
