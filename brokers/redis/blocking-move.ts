import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { backoffMs } from '../../src/util/backoff.js'
import { toFailure } from './failure.js'
import { gatherWrites } from './gather-writes.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { BEFORE_MOVE, RECORD_MOVE, UNDO_MOVE } from './lua/move.js'
import { numberOf } from './reply.js'
import { toScript } from './script.js'

/** What a {@link BlockingMove} works with. */
export interface MoveParts {
  readonly connection: RedisConnection
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
  /** Of the connection on the server; 0 while it cannot wait. */
  #id = 0
  #moving: Promise<string | undefined> | undefined
  #isOver = true
  #isRefused = false
  #isPreparing = false
  #isClosed = false
  #isUncertain = false
  #undoing: Promise<void> | undefined
  /** Sends what was recorded last, while it is still to be sent. */
  #send: (() => Promise<unknown>) | undefined
  #recording: Promise<void> | undefined

  constructor(parts: MoveParts) {
    this.#parts = parts
    this.#list = parts.keys.lists(parts.queue)[0] ?? ''
  }

  /** Whether it can wait now; the first question opens its connection. */
  get isReady(): boolean {
    if (this.#isRefused || this.#isClosed) return false
    if (this.#undoing !== undefined || this.recorded() !== undefined) return false
    if (this.#redis === undefined || this.#redis.status === 'end') this.#redis = this.#open()
    if (this.#id === 0 && this.#redis.status === 'ready') void this.#prepareConnection(this.#redis)
    return this.#id > 0
  }

  /** Whether the wait that was begun is over. */
  get hasMoved(): boolean {
    return this.#moving !== undefined && this.#isOver
  }

  /** Send the record of a claim if that has not been done. @returns What a settlement has to wait for: a record that failed. */
  recorded(): Promise<void> | undefined {
    const send = this.#send
    this.#send = undefined
    send?.().catch(() => {
      this.#recording ??= this.#untilDone(send).then(() => {
        this.#recording = undefined
      })
    })
    return this.#recording
  }

  /** Begin to wait; `notify` is called when there is something to {@link end}. */
  begin(notify: () => void): void {
    const redis = this.#redis
    if (redis === undefined || this.#moving !== undefined) return
    this.#isOver = false
    this.#moving = this.#move(redis).then((envelope) => {
      this.#isOver = true
      notify()
      return envelope
    })
  }

  /** Stop waiting. @returns The envelope that came, to be {@link record | recorded}. */
  async end(): Promise<string | undefined> {
    const moving = this.#moving
    this.#moving = undefined
    if (moving !== undefined && !this.#isOver) await this.#unblock(moving)
    return moving
  }

  /**
   * Record as claimed what came, after this turn: its task begins first. Whatever else concerns the claim is sent after
   * {@link recorded}.
   */
  record(tag: string, envelope: string): void {
    this.#send = () => this.#record(tag, envelope)
    setImmediate(() => void this.recorded())
  }

  #record(tag: string, envelope: string): Promise<unknown> {
    const { connection, keys, holder, leaseMs, queue } = this.#parts
    const lists = [keys.unacked, keys.unackedIndex, keys.claims(holder), keys.moved(holder)]
    const hash = createHash('sha1').update(envelope).digest('hex')
    // By its text: what the server has forgotten would be sent again, after what follows.
    const args = [lists.length, ...lists, tag, leaseMs, JSON.stringify(queue), hash]
    return connection.call('EVAL', RECORD_MOVE, ...args)
  }

  /** Nobody will take what comes: end the wait and put it back. */
  abandon(): void {
    this.#moving = undefined
    if (this.#redis !== undefined) this.#giveUp(this.#redis)
  }

  /** Stop for good; what came in the meantime is left to whoever releases the holder's claims. */
  async close(): Promise<void> {
    await this.end()
    await Promise.race([this.#undoing, sleep(ANSWER_MS, undefined, { ref: false })])
    this.#isUncertain = this.#undoing !== undefined
    this.#isClosed = true
    this.#redis?.disconnect()
  }

  /** After the release: where a move may still be waiting on the server, let others look for what it brings. */
  async waitForMessage(): Promise<void> {
    if (this.#isUncertain) await this.#parts.connection.call('EVAL', ...this.#before(LONGEST_MS + 1_000), '1')
  }

  #open(): Redis {
    const redis = this.#parts.connection.openAnother()
    redis.on('error', () => undefined)
    redis.on('close', () => {
      this.#id = 0
    })
    redis.on('ready', () => void this.#prepareConnection(redis))
    redis.connect().catch(() => undefined)
    return redis
  }

  /** Learn the connection's id. */
  async #prepareConnection(redis: Redis): Promise<void> {
    if (this.#isPreparing) return
    this.#isPreparing = true
    try {
      const id = numberOf(await redis.client('ID'))
      // An account that may not end a move must not begin one.
      await this.#parts.connection.call('CLIENT', 'UNBLOCK', id)
      if (redis.status === 'ready') this.#id = id
    } catch (error) {
      this.#isRefused = toFailure(error, '').kind === 'refused'
    } finally {
      this.#isPreparing = false
    }
  }

  #before(leaseMs: number): readonly (string | number)[] {
    const { keys, holder, queue } = this.#parts
    const names = [keys.holders, keys.moves, keys.moved(holder), this.#list]
    return [BEFORE_MOVE, names.length, ...names, holder, leaseMs, JSON.stringify(queue)]
  }

  async #move(redis: Redis): Promise<string | undefined> {
    const { keys, holder, leaseMs } = this.#parts
    const seconds = Math.min(LONGEST_MS, leaseMs / 3) / 1000
    gatherWrites(redis)
    try {
      const [isHeld, envelope] = await Promise.all([
        redis.call('EVAL', [...this.#before(leaseMs)]),
        redis.call('BLMOVE', [this.#list, keys.moved(holder), 'RIGHT', 'LEFT', seconds]),
      ])
      if (isHeld === 1) return typeof envelope === 'string' ? envelope : undefined
      // The claims were lost meanwhile: what came goes back.
      this.#giveUp(redis)
      return undefined
    } catch (error) {
      this.#isRefused = toFailure(error, '').kind === 'refused'
      this.#giveUp(redis)
      return undefined
    }
  }

  /** It may not have been read yet when it is to end: then the server knows of nobody who waits. */
  async #unblock(moving: Promise<unknown>): Promise<void> {
    const { connection } = this.#parts
    const endMs = performance.now() + ANSWER_MS
    const late = (): Promise<undefined> =>
      sleep(Math.max(0, endMs - performance.now()), undefined, { ref: false })
    for (let ended: number | undefined = 0; ended === 0 && !this.#isOver && performance.now() < endMs;) {
      const asked = connection.call('CLIENT', 'UNBLOCK', this.#id).then(numberOf, () => undefined)
      ended = await Promise.race([asked, moving.then(() => undefined), late()])
      await Promise.race([moving, ended === 0 ? sleep(5) : late()])
    }
    if (!this.#isOver && this.#redis !== undefined) this.#giveUp(this.#redis)
  }

  /** Nobody knows what came, or will come: a new connection, and what is there is put back. */
  #giveUp(redis: Redis): void {
    const id = this.#id
    this.#id = 0
    if (redis.status === 'ready') redis.disconnect(true)
    this.#undoing ??= this.#undo(id, this.#parts.connection.connects).then(() => {
      this.#undoing = undefined
      this.#parts.connection.listening.changedHere()
    })
  }

  async #undo(id: number, connects: number): Promise<void> {
    const { connection, keys, holder } = this.#parts
    await this.recorded()
    await this.#untilDone(async () => {
      // An id of before a reconnect may be another's.
      if (id > 0 && connection.connects === connects) await connection.call('CLIENT', 'UNBLOCK', id)
      await connection.run(undoScript, [keys.moved(holder), this.#list], [])
    })
  }

  async #untilDone(work: () => Promise<unknown>): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        await work()
        return
      } catch {
        await sleep(backoffMs(attempt, AGAIN), undefined, { ref: false })
      }
    }
  }
}
