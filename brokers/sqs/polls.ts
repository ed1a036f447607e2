import { wait } from '../../src/util/wait.js'
import { toFailure } from './failure.js'
import type { SqsFailure } from './failure.js'
import type { QueueRef } from './queue-ref.js'
import { receive } from './received.js'
import type { Received, ReceiveWish } from './received.js'
import { StallDetector } from './stall-detector.js'
import { BATCH_LIMIT } from './batching.js'

/** What polls work with. */
export interface PollsParts {
  readonly refs: readonly QueueRef[]
  readonly wish: Pick<ReceiveWish, 'leaseMs' | 'ceilingMs' | 'attributeNames'>
  /** Longest long poll in seconds. */
  readonly waitSeconds: number
  readonly came: (messages: readonly Received[]) => void
  readonly failed: (failure: SqsFailure, ref: QueueRef) => void
}

interface Lane {
  readonly ref: QueueRef
  /** How many requests it is worth at once: several where the last answer was full, so that more is likely there. */
  side: number
  /** Whether one more is worth it. */
  isFreed: boolean
  /** How many messages the requests under way may bring. */
  asked: number
  /** How many long polls in a row brought nothing. */
  quiet: number
}

/** Most requests to one queue at once, while it is busy. */
const SIDE_BY_SIDE = 8
/**
 * The first long poll after a message, in seconds; each that brings nothing doubles the next. A connection that dies
 * without a word is noticed when a poll has no answer, and that has to be soon while there is work.
 */
const FIRST_WAIT = 4

/**
 * The requests for messages that are under way. They outlive the fetch that began them: one that is ended may have
 * claimed messages already, which nobody would see until their lease is over.
 */
export class Polls {
  readonly #parts: PollsParts
  readonly #lanes: readonly Lane[]
  readonly #stop = new AbortController()
  readonly #stalls = new StallDetector()
  readonly #open = new Set<Promise<void>>()
  #isClosing = false
  #turn = 0

  constructor(parts: PollsParts) {
    this.#parts = parts
    this.#lanes = parts.refs.map((ref) => ({ ref, side: 1, isFreed: false, asked: 0, quiet: 0 }))
  }

  /** How many messages the requests under way may bring. */
  get asked(): number {
    return this.#lanes.reduce((sum, { asked }) => sum + asked, 0)
  }

  /** Look once into queues for up to `credit` messages, without waiting for any to come. */
  async look(credit: number): Promise<void> {
    const lanes = this.#rotated()
    let left = this.#isClosing ? 0 : credit
    const looks: Promise<void>[] = []
    for (const [index, lane] of lanes.entries()) {
      if (left <= 0) break
      let share = Math.max(1, Math.ceil(left / (lanes.length - index)))
      left -= share
      // A queue that was not full last time is asked once.
      for (let side = 0; share > 0 && side < lane.side; side += 1) {
        const size = Math.min(mostOf(lane), share)
        looks.push(this.#opened(this.#poll(lane, size, 0)))
        share -= size
      }
    }
    await Promise.all(looks)
  }

  /**
   * Begin requests that wait for messages, as far as there is credit beside those under way.
   *
   * @param waitMs - Longest wait of a request.
   */
  wait(credit: number, waitMs: number): void {
    const idle = this.#rotated().filter(({ asked }) => asked === 0)
    let free = this.#isClosing ? 0 : credit - this.asked
    // With credit for fewer messages than there are queues, they are asked in turn.
    const isShort = free < idle.length
    const longest = Math.min(waitMs / 1000, isShort ? 1 : this.#parts.waitSeconds)
    for (const [index, lane] of idle.entries()) {
      if (free <= 0) return
      const size = Math.min(mostOf(lane), Math.max(1, Math.floor(free / (idle.length - index))))
      free -= size
      this.#begin(lane, size, Math.max(1, Math.floor(Math.min(longest, FIRST_WAIT * 2 ** lane.quiet))))
    }
    this.#more(free)
  }

  /** A message of a FIFO queue was settled: its group's next is asked for, beside a request that may not notice it. */
  freed(freed: QueueRef): void {
    for (const lane of this.#lanes) if (lane.ref === freed) lane.isFreed = true
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  /**
   * Begin no more, wait for the answers of those under way, and end what takes longer than `waitMs`: the service may give
   * messages to a request that was ended, and no one would see them until their lease is over.
   */
  async close(waitMs: number): Promise<void> {
    this.#isClosing = true
    const until = (end: () => void): (() => void) => {
      void this.idle().then(end)
      return () => undefined
    }
    await wait({ ms: waitMs, signal: this.#stop.signal, until })
    this.#stop.abort()
    this.#stalls.close()
    await Promise.allSettled([...this.#open])
  }

  #opened(poll: Promise<void>): Promise<void> {
    const opened = poll.finally(() => this.#open.delete(opened))
    this.#open.add(opened)
    return opened
  }

  /** A busy queue is asked several times at once. */
  #more(credit: number): void {
    let free = credit
    for (const lane of this.#lanes.filter(({ side, isFreed }) => side > 1 || isFreed)) {
      const most = mostOf(lane)
      const side = lane.side + (lane.isFreed ? 1 : 0)
      while (free > 0 && lane.asked < side * most) {
        lane.isFreed = false
        const size = Math.min(most, free)
        free -= size
        this.#begin(lane, size, 0)
      }
    }
  }

  #begin(lane: Lane, size: number, seconds: number): void {
    lane.asked += size
    void this.#opened(
      this.#poll(lane, size, seconds).finally(() => {
        lane.asked -= size
      }),
    )
  }

  /** Never rejects. */
  async #poll(lane: Lane, size: number, waitSeconds: number): Promise<void> {
    const { wish, came, failed } = this.#parts
    try {
      const signal = this.#stop.signal
      const messages = await receive(lane.ref, {
        ...wish,
        most: size,
        waitSeconds,
        signal,
        stalls: this.#stalls,
      })
      lane.side = nextSide(lane, messages.length === size, size)
      if (messages.length > 0) lane.quiet = 0
      else if (waitSeconds > 0) lane.quiet += 1
      came(messages)
    } catch (error) {
      if (!this.#stop.signal.aborted) failed(toFailure(error, lane.ref.name), lane.ref)
    }
  }

  #rotated(): readonly Lane[] {
    const turn = this.#turn
    this.#turn = (turn + 1) % Math.max(1, this.#lanes.length)
    return [...this.#lanes.slice(turn), ...this.#lanes.slice(0, turn)]
  }
}

/**
 * How many messages a request may bring. A FIFO queue hands out a group in one piece, and what comes behind its first
 * message would wait here for so long that it has to go back, which the service counts as a delivery.
 */
function mostOf({ ref }: Lane): number {
  return ref.isFifo ? 1 : BATCH_LIMIT
}

/** One that brings a message at a time is asked more and more, as nothing tells how many groups have some. */
function nextSide({ ref, side }: Lane, isFull: boolean, size: number): number {
  if (!isFull) return 1
  if (ref.isFifo) return Math.min(SIDE_BY_SIDE, side + 1)
  return size === BATCH_LIMIT ? SIDE_BY_SIDE : 1
}
