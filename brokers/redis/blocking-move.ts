import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { backoffMs } from '../../src/util/backoff.js'
import { toFailure } from './failure.js'
import type { Keys } from './keys.js'
import type { RedisLink } from './link.js'
import { BEFORE_MOVE, RECORD_MOVE, UNDO_MOVE } from './lua/move.js'
import { numberOf } from './reply.js'
import { toScript } from './script.js'

/** What a {@link BlockingMove} works with. */
export interface MoveParts {
  readonly link: RedisLink
  readonly keys: Keys
  /** Its first list is waited for. */
  readonly queue: string
  readonly holder: string
  readonly leaseMs: number
}

/** Longest move, in milliseconds; shorter than a lease, so that none outlives the holder's. */
const LONGEST_MS = 5_000
/** A move that was ended answers within this, or its connection is given up. */
const ANSWER_MS = 2_000
const AGAIN = { firstMs: 50, maxMs: 1_000 }
const undoScript = toScript(UNDO_MOVE)

/**
 * Waits for the next message of one list by moving it into a list of the holder's own: it comes with the wake-up, in one
 * round trip, and is in the server all the time.
 *
 * It has a connection to itself. Whenever an answer is lost, what the move may have brought is put back.
 */
export class BlockingMove {
  readonly #parts: MoveParts
  readonly #list: string
  #redis: Redis | undefined
  #id = 0
  #moving: Promise<string | undefined> | undefined
  #isOver = true
  /** The server refuses it, or an answer was lost and not made good for yet. */
  #isBarred = false
  #isClosed = false

  constructor(parts: MoveParts) {
    this.#parts = parts
    this.#list = parts.keys.lists(parts.queue)[0] ?? ''
  }

  /** Whether it can wait now; the first question opens its connection. */
  get isReady(): boolean {
    if (this.#isBarred || this.#isClosed) return false
    this.#redis ??= this.#open()
    return this.#id > 0
  }

  /** Whether the wait that was begun is over. */
  get hasMoved(): boolean {
    return this.#moving !== undefined && this.#isOver
  }

  /** Begin to wait; `told` is called when there is something to {@link end}. */
  begin(told: () => void): void {
    const redis = this.#redis
    if (redis === undefined || this.#moving !== undefined) return
    this.#isOver = false
    this.#moving = this.#move(redis).then((envelope) => {
      this.#isOver = true
      told()
      return envelope
    })
  }

  /** Stop waiting. @returns The envelope that came, to be {@link record | recorded}. */
  async end(): Promise<string | undefined> {
    const moving = this.#moving
    if (moving === undefined) return undefined
    this.#moving = undefined
    if (this.#isOver) return moving
    const late = setTimeout(() => this.#redis?.disconnect(true), ANSWER_MS)
    await this.#parts.link.call('CLIENT', 'UNBLOCK', this.#id).catch(() => undefined)
    try {
      return await moving
    } finally {
      clearTimeout(late)
    }
  }

  /** Record as claimed what came; whether that was so is known by the claim. Written before anything that is sent later. */
  record(tag: string): void {
    const { link, keys, holder, leaseMs, queue } = this.#parts
    const lists = [keys.unacked, keys.unackedIndex, keys.claims(holder), keys.moved(holder)]
    // By its text: what the server has forgotten would be sent again, after what follows.
    const args = [lists.length, ...lists, tag, leaseMs, JSON.stringify(queue)]
    link.call('EVAL', RECORD_MOVE, ...args).catch(() => undefined)
  }

  /** Give it up; what came in the meantime is left to whoever releases the holder's claims. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.end()
    this.#redis?.disconnect()
  }

  #open(): Redis {
    const redis = this.#parts.link.openAnother()
    redis.on('error', () => undefined)
    redis.on('close', () => {
      this.#id = 0
    })
    redis.on('ready', () => {
      const known = (reply: unknown): void => {
        this.#id = numberOf(reply)
      }
      redis.client('ID').then(known, () => undefined)
    })
    redis.connect().catch(() => undefined)
    return redis
  }

  async #move(redis: Redis): Promise<string | undefined> {
    const { keys, holder, leaseMs, queue } = this.#parts
    const id = this.#id
    const moved = keys.moved(holder)
    const before = [keys.holders, keys.moves, moved, this.#list, holder, leaseMs, JSON.stringify(queue)]
    const seconds = Math.min(LONGEST_MS, leaseMs / 3) / 1000
    const replies = await redis
      .pipeline([
        ['eval', BEFORE_MOVE, 4, ...before],
        ['blmove', this.#list, moved, 'RIGHT', 'LEFT', seconds],
      ])
      .exec()
      .catch((error: unknown): [unknown, unknown][] => [
        [undefined, undefined],
        [error, undefined],
      ])
    const [error, envelope] = replies?.[1] ?? ['no answer', undefined]
    if (error === null || error === undefined) return typeof envelope === 'string' ? envelope : undefined
    this.#isBarred = true
    if (toFailure(error, '').kind === 'unavailable') void this.#undo(id)
    return undefined
  }

  /** Nobody knows what came: end the move, and put it back, as soon as the server can be reached. */
  async #undo(id: number): Promise<void> {
    const { link, keys, holder } = this.#parts
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        await link.call('CLIENT', 'UNBLOCK', id)
        await link.run(undoScript, [keys.moved(holder), this.#list], [])
        break
      } catch {
        await sleep(backoffMs(attempt, AGAIN), undefined, { ref: false })
      }
    }
    this.#isBarred = false
    link.listening.changedHere()
  }
}
