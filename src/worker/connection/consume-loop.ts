import type { Delivery } from '../../broker/contract.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { ClaimWindow } from '../claim/claim-window.js'

/** Longest wait of one fetch. A fetch that has not answered well after it has lost its connection. */
export const FETCH_WAIT_MS = 5_000

/** What a loop tells whoever watches it. */
export interface LoopProgress {
  /** When the fetch under way began, on the monotonic clock; 0 between fetches. */
  fetchingSinceMs: number
  /** When deliveries last came. */
  claimedMs: number
  /** Fetches that were answered. */
  fetches: number
}

/** What a {@link consumeLoop} works with. */
export interface LoopParts {
  readonly claims: ClaimSet
  readonly window: ClaimWindow
  /** Takes a batch; nothing is lost when it comes after `stop`. */
  readonly receive: (claims: ClaimSet, batch: readonly Delivery[]) => void | Promise<void>
  readonly progress: LoopProgress
  readonly elapsedMs: () => number
}

/**
 * Claims deliveries while there is room for them.
 *
 * Resolves when `stop` aborts; rejects with the consumer's error when the connection is lost. Either way the runs it
 * began go on.
 */
export async function consumeLoop(parts: LoopParts, stop: AbortSignal): Promise<void> {
  const { claims, window, progress } = parts
  while (!stop.aborted) {
    const room = await window.free(stop)
    if (room === 0) return
    progress.fetchingSinceMs = parts.elapsedMs()
    const batch = await claims.consumer.fetch(room, { waitMs: FETCH_WAIT_MS, signal: stop })
    progress.fetchingSinceMs = 0
    progress.fetches += 1
    if (batch.length === 0) continue
    progress.claimedMs = parts.elapsedMs()
    await parts.receive(claims, batch)
  }
}
