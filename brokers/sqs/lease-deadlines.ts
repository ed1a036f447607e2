import { BroadcastChannel } from 'node:worker_threads'
import { monotonicMs } from '../../src/util/monotonic.js'
import { isRecord } from '../../src/util/record.js'

const CHANNEL = 'lovage-sqs-leases'

/**
 * Until when claims hold, as far as this process knows.
 *
 * The service neither tells whether a claim still holds nor keeps a stale owner from deleting, so a claim counts as lost
 * once its time is over here. All books of a process, also those in other threads, tell each other of renewals.
 */
export class LeaseDeadlines {
  static readonly #ofThread = new Set<LeaseDeadlines>()
  static #channel: BroadcastChannel | undefined
  readonly #until = new Map<string, number>()

  constructor() {
    LeaseDeadlines.#ofThread.add(this)
    LeaseDeadlines.#channel ??= openChannel((renewed) => {
      for (const book of LeaseDeadlines.#ofThread) book.#learn(renewed)
    })
  }

  /** Until when a claim holds, on {@link monotonicMs}; undefined for one that is not in the book. */
  until(tag: string): number | undefined {
    return this.#until.get(tag)
  }

  enter(tag: string, untilMs: number): void {
    this.#until.set(tag, untilMs)
  }

  remove(tag: string): void {
    this.#until.delete(tag)
  }

  /** Note renewals here and in every other book that has the claims. */
  renewed(tags: readonly string[], untilMs: number): void {
    for (const tag of tags) this.enter(tag, untilMs)
    const renewal = { tags, untilMs }
    for (const book of LeaseDeadlines.#ofThread) if (book !== this) book.#learn(renewal)
    LeaseDeadlines.#channel?.postMessage(renewal)
  }

  /** Drop claims that are over. */
  prune(): void {
    const now = monotonicMs()
    for (const [tag, until] of this.#until) if (until < now) this.#until.delete(tag)
  }

  close(): void {
    LeaseDeadlines.#ofThread.delete(this)
    if (LeaseDeadlines.#ofThread.size > 0) return
    LeaseDeadlines.#channel?.close()
    LeaseDeadlines.#channel = undefined
  }

  #learn({ tags, untilMs }: Renewal): void {
    for (const tag of tags) {
      const known = this.#until.get(tag)
      if (known !== undefined && known < untilMs) this.#until.set(tag, untilMs)
    }
  }
}

interface Renewal {
  readonly tags: readonly string[]
  readonly untilMs: number
}

function openChannel(learn: (renewal: Renewal) => void): BroadcastChannel {
  const channel = new BroadcastChannel(CHANNEL)
  channel.onmessage = (event: unknown) => {
    const data: unknown =
      typeof event === 'object' && event !== null && 'data' in event ? event.data : undefined
    if (isRenewal(data)) learn(data)
  }
  // Nobody waits for the news.
  channel.unref()
  return channel
}

function isRenewal(value: unknown): value is Renewal {
  return isRecord(value) && Array.isArray(value['tags']) && typeof value['untilMs'] === 'number'
}
