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

/**
 * As {@link withDeadline}, for work that can be cancelled: at the deadline its signal aborts, and work that rejects at once
 * for this says why. Other work is dropped with the deadline's own error.
 *
 * @param outer - Cancels the work too, without an error of its own.
 */
export function withCancellation<Value>(
  work: (signal: AbortSignal) => Promise<Value>,
  { ms, clock = systemClock, late }: Deadline,
  outer?: AbortSignal,
): Promise<Value> {
  const controller = new AbortController()
  const signal = outer === undefined ? controller.signal : AbortSignal.any([controller.signal, outer])
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(ms, () => {
      controller.abort()
      setImmediate(() => {
        reject(late())
      })
    })
    work(signal).then(resolve, reject).finally(cancel)
  })
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
