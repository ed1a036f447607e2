import { monotonicMs } from '../../src/util/monotonic.js'
import type { Received } from './received.js'
import { leastOf } from '../../src/util/long-list.js'

/** What a {@link PrefetchBuffer} works with. */
export interface PrefetchBufferParts {
  /** The present moment at the service, in epoch milliseconds. */
  readonly now: () => number
  readonly leaseMs: number
  /** Takes messages that nobody fetched. Does not reject. */
  readonly returned: (messages: readonly Received[]) => Promise<void>
}

/** Longest that a message is kept here until it is due, in milliseconds: the service and its clock count whole seconds. */
const LONGEST_HOLD_MS = 2_500

/** Claimed messages that were not fetched yet, or are due soon. */
export class PrefetchBuffer {
  readonly #parts: PrefetchBufferParts
  #waiting: Received[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(parts: PrefetchBufferParts) {
    this.#parts = parts
  }

  /** How many messages wait for nothing but a fetch, or their moment: those of busy groups are not among them. */
  size(isBusy: (group: string) => boolean): number {
    return this.#waiting.filter(({ group }) => group === undefined || !isBusy(group)).length
  }

  /** Messages that are due, or soon; and those that have to go back until they are, with what follows in their group. */
  sorted(messages: readonly Received[]): { early: readonly Received[]; ready: readonly Received[] } {
    const { leaseMs, now } = this.#parts
    const limit = now() + Math.min(LONGEST_HOLD_MS, leaseMs / 2)
    const held = new Set<string>()
    const early: Received[] = []
    const ready: Received[] = []
    for (const message of messages) {
      const { envelope, group } = message
      const isReady = (envelope.marks.at ?? 0) <= limit && !(group !== undefined && held.has(group))
      if (!isReady && group !== undefined) held.add(group)
      if (isReady) ready.push(message)
      else early.push(message)
    }
    return { ready, early }
  }

  add(message: Received): void {
    this.#waiting.push(message)
    // A fetch takes it, now or soon. If none comes, others shall have it before the claim is over.
    this.#timer ??= setTimeout(() => void this.#parts.returned(this.empty()), this.#parts.leaseMs / 2)
  }

  /**
   * Up to `most` messages that are due; those whose claim is over are left to the service.
   *
   * @param isBusy - Whether a message of the group is not settled yet. Of any other group the first one is taken.
   */
  take(most: number, isBusy: (group: string) => boolean): readonly Received[] {
    if (most <= 0 || this.#waiting.length === 0) return []
    const now = this.#parts.now()
    const over = monotonicMs()
    const passed = new Set<string>()
    const isNext = (group: string | undefined): boolean => {
      if (group === undefined) return true
      const isFree = !passed.has(group) && !isBusy(group)
      passed.add(group)
      return isFree
    }
    const taken: Received[] = []
    const kept: Received[] = []
    for (const message of this.#waiting) {
      if (message.untilMs <= over) {
        // Its group goes on with it, wherever it is handed out next.
        if (message.group !== undefined) passed.add(message.group)
        continue
      }
      const isDue = (message.envelope.marks.at ?? 0) <= now
      if (isNext(message.group) && isDue && taken.length < most) taken.push(message)
      else kept.push(message)
    }
    this.#waiting = kept
    if (kept.length === 0) this.#stopTimer()
    return taken
  }

  /** Remove what is here of a group. */
  remove(groups: ReadonlySet<string>): readonly Received[] {
    if (groups.size === 0) return []
    const isOf = ({ group }: Received): boolean => group !== undefined && groups.has(group)
    const removed = this.#waiting.filter(isOf)
    this.#waiting = this.#waiting.filter((message) => !isOf(message))
    return removed
  }

  /** In how many milliseconds the next message is due whose group is not busy. */
  nextMs(isBusy: (group: string) => boolean): number {
    const now = this.#parts.now()
    const next = this.#waiting.filter(({ group }) => group === undefined || !isBusy(group))
    const times = next.map(({ envelope }) => (envelope.marks.at ?? 0) - now)
    return Math.max(0, leastOf(times))
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
