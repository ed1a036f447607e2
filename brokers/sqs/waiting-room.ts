import { monotonicMs } from './lease-book.js'
import type { Received } from './received.js'

/** What a room works with. */
export interface WaitingRoomParts {
  /** The present moment at the service, in epoch milliseconds. */
  readonly now: () => number
  readonly leaseMs: number
  /** Takes messages that nobody fetched. Does not reject. */
  readonly returned: (messages: readonly Received[]) => Promise<void>
}

/** Longest that a message is kept here until it is due, in milliseconds: the service counts whole seconds. */
const LONGEST_HOLD_MS = 1_500

/** Claimed messages that were not fetched yet, or are due within the next second. */
export class WaitingRoom {
  readonly #parts: WaitingRoomParts
  #waiting: Received[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(parts: WaitingRoomParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Messages that are due, or soon; and those that have to go back until they are. */
  sorted(messages: readonly Received[]): { early: readonly Received[]; ready: readonly Received[] } {
    const { leaseMs, now } = this.#parts
    const limit = now() + Math.min(LONGEST_HOLD_MS, leaseMs / 2)
    const isReady = ({ envelope }: Received): boolean => (envelope.marks.at ?? 0) <= limit
    return { ready: messages.filter(isReady), early: messages.filter((message) => !isReady(message)) }
  }

  add(message: Received): void {
    this.#waiting.push(message)
    // A fetch takes it, now or soon. If none comes, others shall have it before the claim is over.
    this.#timer ??= setTimeout(() => void this.#parts.returned(this.empty()), this.#parts.leaseMs / 2)
  }

  /** Up to `most` messages that are due; those whose claim is over are left to the service. */
  take(most: number): readonly Received[] {
    if (most <= 0 || this.#waiting.length === 0) return []
    const now = this.#parts.now()
    const over = monotonicMs()
    const taken: Received[] = []
    const kept: Received[] = []
    for (const message of this.#waiting) {
      if (message.untilMs <= over) continue
      const isDue = (message.envelope.marks.at ?? 0) <= now
      if (isDue && taken.length < most) taken.push(message)
      else kept.push(message)
    }
    this.#waiting = kept
    if (kept.length === 0) this.#stopTimer()
    return taken
  }

  /** In how many milliseconds the next message is due. */
  nextMs(): number {
    const now = this.#parts.now()
    const times = this.#waiting.map(({ envelope }) => (envelope.marks.at ?? 0) - now)
    return Math.max(0, Math.min(...times, Number.POSITIVE_INFINITY))
  }

  /** All that is here, with a claim that holds. */
  empty(): readonly Received[] {
    this.#stopTimer()
    const waiting = this.#waiting
    this.#waiting = []
    return waiting.filter(({ untilMs }) => untilMs > monotonicMs())
  }

  #stopTimer(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
