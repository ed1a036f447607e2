import { UnsupportedError } from '../errors/errors.js'
import type { Clock } from '../util/clock.js'
import type { Broker, Outgoing } from './contract.js'

/** Part of a message or hand-back that says when it may be delivered. */
export interface Delayed {
  readonly delayMs?: number
  readonly notBeforeMs?: number
}

/** Refuses delays that a broker cannot keep. */
export class DelayLimit {
  readonly #broker: string
  readonly #maxDelayMs: number
  readonly #clock: Clock

  constructor(broker: string, maxDelayMs: number, clock: Clock) {
    this.#broker = broker
    this.#maxDelayMs = maxDelayMs
    this.#clock = clock
  }

  /** @throws {@link UnsupportedError} that names the broker and its longest delay. */
  check(items: readonly Delayed[]): void {
    if (this.#maxDelayMs === Number.POSITIVE_INFINITY) return
    for (const { delayMs, notBeforeMs } of items) {
      const askedMs = notBeforeMs === undefined ? (delayMs ?? 0) : notBeforeMs - this.#clock.now()
      if (askedMs > this.#maxDelayMs) throw this.#refused(askedMs)
    }
  }

  #refused(askedMs: number): UnsupportedError {
    const able =
      this.#maxDelayMs === 0
        ? 'cannot delay messages'
        : `delays messages by at most ${String(this.#maxDelayMs)} ms`
    return new UnsupportedError(
      `broker "${this.#broker}" ${able}; asked for ${String(Math.ceil(askedMs))} ms`,
    )
  }
}

/** What a broker is given: one that cannot delay gets the message at once, and its consumer waits for the `eta`. */
export function delayedIfAble({ capabilities }: Broker, outgoing: Outgoing): Outgoing {
  if (capabilities.maxDelayMs > 0) return outgoing
  const { route, message } = outgoing
  return { route, message }
}
