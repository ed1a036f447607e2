import type { QueueSpec, Route } from '../../src/broker/contract.js'
import type { Message } from '../../src/message/message.js'
import { Heap } from '../../src/util/heap.js'

/** A message in one queue, or claimed from it. Owned by whichever heap or claim holds it. */
export interface Entry {
  /** Replaced when a hand-back sets headers. */
  message: Message
  readonly route: Route
  readonly queue: string
  readonly priority: number
  /** Place among messages of one priority; kept by a hand-back without delay. */
  sequence: number
  /** Claims that counted as deliveries, the present one left out. */
  spent: number
  /** Whether it was ever handed out. */
  handedOut: boolean
  /** Whether it was held here until its due time. */
  due: boolean
  /** When it may be claimed, in epoch milliseconds. */
  readyAtMs: number
}

function comesBefore(one: Entry, other: Entry): boolean {
  return one.priority === other.priority ? one.sequence < other.sequence : one.priority > other.priority
}

function isDueBefore(one: Entry, other: Entry): boolean {
  return one.readyAtMs === other.readyAtMs ? one.sequence < other.sequence : one.readyAtMs < other.readyAtMs
}

/** One queue: what is ready, by priority and age, and what is delayed, by due time. */
export class MemoryQueue {
  readonly name: string
  readonly lifetime: QueueSpec['lifetime']
  /** Deleted after this long without a consumer, in milliseconds. */
  readonly expiresMs: number
  /** Consumers that have it open now. */
  consumers = 0
  /** Since when there is no consumer, in epoch milliseconds. */
  idleSinceMs: number
  readonly #ready = new Heap<Entry>(comesBefore)
  readonly #delayed = new Heap<Entry>(isDueBefore)

  constructor(spec: QueueSpec, nowMs: number) {
    this.name = spec.name
    this.lifetime = spec.lifetime
    this.expiresMs = spec.expiresMs ?? Number.POSITIVE_INFINITY
    this.idleSinceMs = nowMs
  }

  /** When the next delayed message is due, in epoch milliseconds; `Infinity` when there is none. */
  get nextDueMs(): number {
    return this.#delayed.peek()?.readyAtMs ?? Number.POSITIVE_INFINITY
  }

  /** Put a message in: among the ready ones, or aside until it is due. */
  add(entry: Entry, nowMs: number): void {
    if (entry.readyAtMs > nowMs) this.#delayed.push(entry)
    else this.#ready.push(entry)
  }

  /** Messages ready now. */
  depth(nowMs: number, nextSequence: () => number): number {
    this.#promote(nowMs, nextSequence)
    return this.#ready.size
  }

  /** The next message to deliver; an expired one too, so that its worker can store REVOKED. */
  take(nowMs: number, nextSequence: () => number): Entry | undefined {
    if (this.nextDueMs <= nowMs) this.#promote(nowMs, nextSequence)
    return this.#ready.pop()
  }

  /** Drop everything that is not claimed; returns how many messages that were. */
  purge(): number {
    const dropped = this.#ready.size + this.#delayed.size
    this.#ready.clear()
    this.#delayed.clear()
    return dropped
  }

  /** A due message joins the end of its priority: it enters the queue when it is due. */
  #promote(nowMs: number, nextSequence: () => number): void {
    while (this.nextDueMs <= nowMs) {
      const entry = this.#delayed.pop()
      if (entry === undefined) return
      entry.sequence = nextSequence()
      this.#ready.push(entry)
    }
  }
}
