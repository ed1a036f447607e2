/** How delays grow from try to try. */
export interface BackoffOptions {
  /** Delay before the first retry, in milliseconds. */
  readonly firstMs: number
  /**
   * What each delay is multiplied by for the next.
   *
   * @defaultValue 2
   */
  readonly factor?: number
  /** Longest delay, in milliseconds. */
  readonly maxMs: number
  /**
   * Share of the delay that chance decides: 0 is none, 1 draws from all of zero to the full delay.
   *
   * @defaultValue 0
   */
  readonly jitter?: number
}

/**
 * How long to wait before retry number `attempt`, in whole milliseconds.
 *
 * @param attempt - 0 for the first retry.
 * @param random - Gives a number from 0 (included) to 1 (excluded); replaced in tests.
 */
export function backoffMs(
  attempt: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const { firstMs, factor = 2, maxMs, jitter = 0 } = options
  // 0 times an overflowed factor would not be a number.
  const full = firstMs === 0 ? 0 : Math.min(maxMs, firstMs * factor ** Math.max(0, attempt))
  const share = Math.min(1, Math.max(0, jitter))
  return Math.round(full - full * share * random())
}
