/** What a {@link UnfetchedDeliveries} looks at. */
export interface UnfetchedDeliveriesParts {
  /** How many fetches there were so far. */
  readonly fetches: () => number
  /** Nothing lies here, or somebody waits for it. */
  readonly isOver: () => boolean
  readonly drop: () => Promise<void>
}

/** How long a delivery may lie here unasked for. */
const UNFETCHED_MS = 250

/** Watches deliveries that lie here while no fetch asks for them: another worker can run them. */
export class UnfetchedDeliveries {
  readonly #parts: UnfetchedDeliveriesParts
  #timer: NodeJS.Timeout | undefined

  constructor(parts: UnfetchedDeliveriesParts) {
    this.#parts = parts
  }

  /** A delivery lies here. */
  watch(): void {
    if (this.#timer !== undefined) return
    const { fetches, isOver, drop } = this.#parts
    const before = fetches()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (isOver()) return
      if (fetches() === before) void drop()
      else this.watch()
    }, UNFETCHED_MS).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
