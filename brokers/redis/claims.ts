import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ConsumeOptions, Delivery, FetchOptions, Settlement } from '../../src/broker/contract.js'
import type { Changes, ClaimAttempt, LeasedClaims } from '../../src/broker/leased-consumer.js'
import { BlockingMove } from './blocking-move.js'
import { Claimer } from './claimer.js'
import type { Claimed, Found, QueueOrder, NotifyLists } from './claimer.js'
import { readEnvelope, toDelivery } from './envelope.js'
import type { Keys } from './keys.js'
import type { RedisConnection } from './connection.js'
import { isOnlyConnection } from './shared-connections.js'
import { VERIFY } from './lua/lease.js'
import { numbersOf } from './reply.js'
import { Restorer } from './restorer.js'
import type { ResultWriter } from './result-writer.js'
import { toScript } from './script.js'
import { applySettlements } from './settle.js'
import type { SettleParts } from './settle.js'
import type { Publisher } from './publisher.js'

/** What claims are made from. */
export interface ClaimsParts {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly publisher: Publisher
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  readonly holder: string
  readonly visibilityTimeoutMs: number
  readonly order: QueueOrder
  /** The result backend, if it is on the same server. */
  readonly writer: ResultWriter | undefined
}

/** Longest wait before looking again, in milliseconds, although there are notifications of changes. */
const PATIENCE_MS = 3_000
/** The same without notifications. */
const POLL_MS = 50
/** How often claims of Celery's workers are looked through. */
const OVERDUE_EVERY_MS = 100_000
const NOTHING: Found = { claimed: [], nextMs: Number.POSITIVE_INFINITY, expired: [] }
const verifyScript = toScript(VERIFY)

/** Claims of one holder. */
export class RedisClaims implements LeasedClaims {
  readonly holder: string
  /** Envelopes as they were claimed. What was read of them is not kept: the collector would carry it along. */
  readonly unsettled: Map<string, string> = new Map()
  readonly changes: Changes
  readonly isAtomic: boolean
  readonly #parts: ClaimsParts
  readonly #settling: SettleParts
  readonly #claimer: Claimer
  readonly #restorer: Restorer
  readonly #move: BlockingMove | undefined
  /** What the last move brought, once it has ended. */
  #ending: Promise<string | undefined> | undefined
  /** The last wait was ended by a move. */
  #hasMoved = false
  /** The last claim brought less than was asked for. */
  #isDrained = false
  /** The last fetch brought what a move had brought. */
  #hasCome = false
  /** The next look asks for notifications of changes. */
  #isTracked = false
  /** The lists whose changes the last look asks for. */
  #notify: NotifyLists = 'none'
  /** Changes heard of when the last wait began, if no look came after it. */
  #heard: number | undefined
  #overdueAtMs = performance.now() + OVERDUE_EVERY_MS * Math.random()

  constructor(parts: ClaimsParts) {
    const { connection, keys, queues, holder, options, publisher, writer, order } = parts
    const { listening } = connection
    const { leaseMs } = options
    this.#parts = parts
    this.holder = holder
    this.isAtomic = writer !== undefined
    this.#claimer = new Claimer({ connection, keys, queues, holder, leaseMs, order })
    this.#restorer = new Restorer(connection, keys)
    const queue = this.#claimer.firstQueue
    if (isOnlyConnection()) this.#move = new BlockingMove({ connection, keys, queue, holder, leaseMs })
    this.#settling = { connection, keys, holder, publisher, writer, unsettled: this.unsettled }
    this.changes = {
      get count() {
        return listening.count
      },
      subscribe: (wake) => this.#subscribe(wake),
    }
  }

  async prepare({ waitMs }: FetchOptions): Promise<void> {
    if (this.#hasCome) await this.#afterWhatCame()
    this.#heard = undefined
    this.#isTracked = waitMs > 0 && (await this.#listen())
  }

  async claim(max: number): Promise<ClaimAttempt> {
    try {
      if (this.#heard !== undefined) await this.#lookAfterOthers(this.#heard)
      for (;;) {
        this.#notify = this.#notifyWith(max)
        const found = max === 0 ? NOTHING : await this.#look(max)
        const came = await this.#ending
        if (came !== undefined || found.claimed.length > 0) {
          return { deliveries: await this.#enter(found, came, max) }
        }
        const expired = this.#restorer.restorable(found.expired)
        if (expired.length === 0) return { deliveries: [], nextMs: this.#nextMs(found.nextMs) }
        await this.#restorer.restoreExpired(expired)
        this.#isTracked = false
      }
    } catch (error) {
      this.#ending = undefined
      this.#move?.abandon()
      throw error
    }
  }

  async arrived(max: number, isOver: boolean): Promise<readonly Delivery[]> {
    if (!this.#hasMoved && !isOver) return []
    const came = await this.#ending
    return came === undefined ? [] : this.#enter(NOTHING, came, max)
  }

  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    const recording = this.#move?.recorded()
    if (recording !== undefined) await recording
    // What is pushed last is claimed first, so that a batch comes again in its order.
    const isBack = settlements.every(({ handBack }) => handBack !== undefined)
    return applySettlements(this.#settling, isBack ? settlements.toReversed() : settlements)
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { connection, keys } = this.#parts
    await this.#move?.recorded()
    const tags = deliveries.map(({ tag }) => tag)
    const lost = new Set(numbersOf(await connection.run(verifyScript, [keys.unacked], tags)))
    return deliveries.filter((_, index) => !lost.has(index))
  }

  async release(): Promise<void> {
    await this.#move?.close()
    await this.#restorer.release(this.holder)
    await this.#move?.waitForMessage()
    this.#parts.connection.listening.changedHere()
  }

  /** A short task that came alone has then sent its settlement: a caller that waits for it has it before the next look. */
  async #afterWhatCame(): Promise<void> {
    this.#hasCome = false
    await nextTurn()
    await nextTurn()
  }

  /** Hear of changes. @returns Whether the first look asks for notifications: while there is something, it need not. */
  async #listen(): Promise<boolean> {
    const { listening } = this.#parts.connection
    if (!listening.isTracking) await listening.openChanges().catch(() => undefined)
    return this.#isDrained && listening.isTracking
  }

  #notifyWith(max: number): NotifyLists {
    if (!this.#isTracked) return 'none'
    return max > 0 && this.#move?.isReady === true ? 'others' : 'all'
  }

  async #look(max: number): Promise<Found> {
    // What a move brought is recorded before: the next move would put it back.
    void this.#move?.recorded()
    const found = await this.#claimer.claim(max, this.#notify)
    this.#isDrained = found.claimed.length < max
    return found
  }

  /** When to look again; at once, where only the next look asks for notifications. */
  #nextMs(foundMs: number): number {
    const { isTracking } = this.#parts.connection.listening
    const wasTracked = this.#isTracked
    this.#isTracked = isTracking && !wasTracked
    if (this.#isTracked) return 0
    return Math.max(1, Math.min(foundMs, isTracking ? PATIENCE_MS : POLL_MS))
  }

  async #enter(
    { claimed, expired }: Found,
    came: string | undefined,
    max: number,
  ): Promise<readonly Delivery[]> {
    this.#ending = undefined
    const restorable = this.#restorer.restorable(expired)
    if (restorable.length > 0) this.#restorer.restoreExpired(restorable).catch(() => undefined)
    const all = came === undefined ? claimed : [this.#record(came), ...claimed]
    const deliveries = all.map(({ tag, queue, envelope: text }) => {
      this.unsettled.set(tag, text)
      return toDelivery(readEnvelope(text), queue, tag)
    })
    const [tooMany] = deliveries.slice(max)
    if (tooMany === undefined) return deliveries
    try {
      await this.settle([{ delivery: tooMany, publish: [], handBack: { delayMs: 0, unspent: true } }])
      this.unsettled.delete(tooMany.tag)
    } catch {
      return deliveries
    }
    return deliveries.slice(0, max)
  }

  #record(envelope: string): Claimed {
    const tag = this.#claimer.nextTag()
    this.#hasCome = true
    this.#move?.record(tag, envelope)
    return { tag, queue: this.#claimer.firstQueue, envelope }
  }

  /** Wake at a change, and at a message of the first list, which comes with the wake-up. */
  #subscribe(wake: () => void): () => void {
    const { listening } = this.#parts.connection
    this.#heard = listening.count
    if (this.#notify === 'others') this.#move?.begin(wake)
    const stop = listening.changes(wake)
    return () => {
      stop()
      this.#hasMoved = this.#move?.hasMoved === true
      this.#ending = this.#move?.end()
    }
  }

  /** Does the connection that hears live, if it heard nothing, and is a message of Celery's workers overdue? */
  async #lookAfterOthers(heard: number): Promise<void> {
    const { listening } = this.#parts.connection
    this.#heard = undefined
    if (listening.count === heard) listening.probe()
    if (performance.now() < this.#overdueAtMs) return
    this.#overdueAtMs = performance.now() + OVERDUE_EVERY_MS
    await this.#restorer.restoreOverdue(this.#parts.visibilityTimeoutMs)
  }
}
