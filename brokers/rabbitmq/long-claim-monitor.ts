import type { UnsettledDelivery } from './unsettled.js'

/** What a {@link LongClaimMonitor} works with. */
export interface LongClaimMonitorParts {
  /** How long the server lets a delivery go unacknowledged; 0 when it does not mind. */
  readonly consumerTimeoutMs: number
  readonly held: () => readonly UnsettledDelivery[]
  readonly isOver: () => boolean
  readonly move: (held: UnsettledDelivery) => Promise<void>
}

/** Moves claims that have lasted half as long as the server allows to where it does not mind. */
export class LongClaimMonitor {
  readonly #parts: LongClaimMonitorParts
  readonly #timer: NodeJS.Timeout | undefined
  #isMoving = false

  constructor(parts: LongClaimMonitorParts) {
    this.#parts = parts
    const { consumerTimeoutMs } = parts
    if (consumerTimeoutMs > 0)
      this.#timer = setInterval(() => void this.#look(), consumerTimeoutMs / 8).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    if (this.#isMoving) return
    this.#isMoving = true
    const { consumerTimeoutMs, held, isOver, move } = this.#parts
    const sinceMs = performance.now() - consumerTimeoutMs / 2
    for (const one of held()) {
      const { handedOutMs } = one
      if (handedOutMs === 0 || handedOutMs > sinceMs || isOver()) continue
      try {
        await move(one)
      } catch {
        // Tried again at the next look; the server allows twice as long.
      }
    }
    this.#isMoving = false
  }
}
