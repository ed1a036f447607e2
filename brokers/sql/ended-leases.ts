/** How long those whose lease has ended may still renew it, in milliseconds: longer than a keeper pauses after a failure. */
export const LAST_CALL_MS = 1500

/** What to do about leases that end: wait for this long, call those that have ended, or free them. */
export type EndedStep =
  { readonly kind: 'call' } | { readonly kind: 'wait'; readonly ms: number } | { readonly kind: 'free' }

/**
 * Frees the claims of ended leases only after a last call.
 *
 * Where no worker could write for a while (a process stood still inside the lock of a SQLite file, a server was away) the leases
 * of all living workers have ended as well. So an ended lease is first noted, under the write lock, and freed if it is not
 * renewed in the time after that.
 */
export class EndedLeases {
  readonly #elapsedMs: () => number
  #call: { readonly atMs: number; readonly endedBeforeMs: number } | undefined

  /** @param elapsedMs - A monotonic clock in milliseconds. */
  constructor(elapsedMs: () => number = () => performance.now()) {
    this.#elapsedMs = elapsedMs
  }

  /**
   * @param untilEndMs - Until the first lease of another holder ends, in milliseconds; 0 or less when it has.
   * @param nowMs - The database's clock.
   */
  step(untilEndMs: number, nowMs: number): EndedStep {
    if (untilEndMs > 0) return { kind: 'wait', ms: untilEndMs }
    if (this.#call === undefined || nowMs + untilEndMs > this.#call.endedBeforeMs) return { kind: 'call' }
    const leftMs = this.#call.atMs + LAST_CALL_MS - this.#elapsedMs()
    return leftMs > 0 ? { kind: 'wait', ms: leftMs } : { kind: 'free' }
  }

  /** Note the call. @param nowMs - The database's clock, read under the write lock. */
  called(nowMs: number): void {
    this.#call = { atMs: this.#elapsedMs(), endedBeforeMs: nowMs }
  }

  /** Leases that ended up to this moment of the database's clock have heard the call. */
  get endedBeforeMs(): number {
    return this.#call?.endedBeforeMs ?? 0
  }
}
