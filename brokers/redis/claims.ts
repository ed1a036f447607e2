import { setImmediate as nextTurn } from 'node:timers/promises'
import type {
  Consumer,
  ConsumeOptions,
  Delivery,
  FetchOptions,
  HandBack,
  Settlement,
} from '../../src/broker/contract.js'
import { BrokerError } from '../../src/errors/errors.js'
import { wait } from '../../src/util/wait.js'
import { BlockingMove } from './blocking-move.js'
import { Claimer } from './claimer.js'
import type { ClaimAttempt, Claimed, QueueOrder, NotifyLists } from './claimer.js'
import { readEnvelope, toDelivery } from './envelope.js'
import { asBroker } from './failure.js'
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

/** What a consumer is made from. */
export interface ConsumerParts {
  readonly link: RedisConnection
  readonly keys: Keys
  readonly publisher: Publisher
  readonly queues: readonly string[]
  readonly options: ConsumeOptions
  readonly holder: string
  readonly visibilityTimeoutMs: number
  readonly order: QueueOrder
  /** The result backend, if it is on the same server. */
  readonly writer: ResultWriter | undefined
  readonly closed: () => void
}

interface Idle {
  readonly seen: number
  readonly told: NotifyLists
  readonly ms: number
  readonly signal: AbortSignal
}

interface Moved {
  /** What the blocking move brought. */
  readonly came: string | undefined
  /** How many may be kept. */
  readonly room: number
}

/** Longest wait before looking again, in milliseconds, although changes are told of. */
const PATIENCE_MS = 3_000
/** The same where nobody tells of changes. */
const POLL_MS = 50
/** How often claims of Celery's workers are looked through. */
const OVERDUE_EVERY_MS = 100_000
const NOTHING: ClaimAttempt = { claimed: [], nextMs: Number.POSITIVE_INFINITY, expired: [] }
const verifyScript = toScript(VERIFY)

/** Claims of one holder. */
export class RedisConsumer implements Consumer {
  readonly holder: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly #parts: ConsumerParts
  readonly #settling: SettleParts
  readonly #claimer: Claimer
  readonly #restorer: Restorer
  readonly #move: BlockingMove | undefined
  #ending: Promise<string | undefined> | undefined
  /** Envelopes as they were claimed. What was read of them is not kept: the collector would carry it along. */
  readonly #unsettled = new Map<string, string>()
  #credit: number
  /** The last claim brought less than was asked for. */
  #isDrained = false
  /** The last fetch brought what a move had brought. */
  #hasCome = false
  #endWait: (() => void) | undefined
  #fetching: Promise<unknown> = Promise.resolve()
  #overdueAtMs = performance.now() + OVERDUE_EVERY_MS * Math.random()
  #closing: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    const { link, keys, queues, holder, options, publisher, writer, order } = parts
    this.#parts = parts
    this.holder = holder
    this.#credit = options.credit
    this.#claimer = new Claimer({ link, keys, queues, holder, leaseMs: options.leaseMs, order })
    this.#restorer = new Restorer(link, keys)
    const queue = this.#claimer.firstQueue
    if (isOnlyConnection())
      this.#move = new BlockingMove({ link, keys, queue, holder, leaseMs: options.leaseMs })
    const envelopeOf = ({ tag }: Delivery): string | undefined => this.#unsettled.get(tag)
    this.#settling = { link, keys, holder, publisher, writer, envelopeOf }
    if (writer !== undefined) this.settle = (settlements) => this.#settle(settlements)
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    const fetching = asBroker(() => this.#fetch(max, options))
    this.#fetching = fetching.catch(() => {
      this.#ending = undefined
      this.#move?.abandon()
    })
    return fetching
  }

  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#settle(deliveries.map((delivery) => ({ delivery, publish: [] })))
  }

  handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    // What is pushed last is claimed first, so that a batch comes again in its order.
    const backwards = [...items].reverse()
    return this.#settle(backwards.map(({ delivery, ...handBack }) => ({ delivery, publish: [], handBack })))
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    const { link, keys } = this.#parts
    await this.#move?.recorded()
    return asBroker(async () => {
      const tags = deliveries.map(({ tag }) => tag)
      const lost = new Set(numbersOf(await link.run(verifyScript, [keys.unacked], tags)))
      return deliveries.filter((_, index) => !lost.has(index))
    })
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    this.#endWait?.()
    await Promise.resolve()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    await this.#afterWhatCame()
    this.#assertOpen()
    const { listening } = this.#parts.link
    const deadline = performance.now() + waitMs
    let isTracked = waitMs > 0 && (await this.#listen())
    for (;;) {
      const seen = listening.count
      const room = this.#room(max)
      const told = this.#told(room, isTracked)
      const attempt = await this.#attempt(room, told)
      const came = await this.#ending
      if (came !== undefined || attempt.claimed.length > 0) return this.#keep(attempt, { came, room })
      const expired = this.#restorer.restorable(attempt.expired)
      if (expired.length > 0) {
        await this.#restorer.restoreExpired(expired)
        isTracked = false
        continue
      }
      const leftMs = deadline - performance.now()
      if (leftMs <= 0 || this.#isOver(signal)) return []
      if (isTracked || !listening.isTracking) {
        const isEnough = await this.#idle({ seen, told, ms: Math.min(leftMs, attempt.nextMs), signal })
        if (isEnough) return this.#keep(NOTHING, { came: await this.#ending, room: this.#room(max) })
        await this.#lookAfterOthers(seen)
      }
      isTracked = listening.isTracking && !isTracked
    }
  }

  /** A short task that came alone has then sent its settlement: whoever waits for it has it before the next look. */
  async #afterWhatCame(): Promise<void> {
    if (!this.#hasCome) return
    this.#hasCome = false
    await nextTurn()
    await nextTurn()
  }

  /** Hear of changes. @returns Whether the first look asks to be told of them: while there is something, it need not. */
  async #listen(): Promise<boolean> {
    const { listening } = this.#parts.link
    if (!listening.isTracking) await listening.openChanges().catch(() => undefined)
    return this.#isDrained && listening.isTracking
  }

  #room(max: number): number {
    const room = Math.min(max, this.#credit - this.#unsettled.size)
    return this.#closing === undefined ? Math.max(0, room) : 0
  }

  #told(room: number, isTracked: boolean): NotifyLists {
    if (!isTracked) return 'none'
    return room > 0 && this.#move?.isReady === true ? 'others' : 'all'
  }

  async #attempt(room: number, told: NotifyLists): Promise<ClaimAttempt> {
    if (room === 0) return NOTHING
    // What a move brought is recorded before: the next move would put it back.
    void this.#move?.recorded()
    const attempt = await this.#claimer.claim(room, told)
    this.#isDrained = attempt.claimed.length < room
    return attempt
  }

  async #keep({ claimed, expired }: ClaimAttempt, moved: Moved): Promise<readonly Delivery[]> {
    this.#ending = undefined
    const restorable = this.#restorer.restorable(expired)
    if (restorable.length > 0) this.#restorer.restoreExpired(restorable).catch(() => undefined)
    // What came after `close` goes back there.
    if (this.#closing !== undefined) return []
    const all = moved.came === undefined ? claimed : [this.#record(moved.came), ...claimed]
    const deliveries = all.map(({ tag, queue, envelope: text }) => {
      this.#unsettled.set(tag, text)
      return toDelivery(readEnvelope(text), queue, tag)
    })
    const [tooMany] = deliveries.slice(moved.room)
    if (tooMany === undefined) return deliveries
    try {
      await this.handBack([{ delivery: tooMany, delayMs: 0, unspent: true }])
    } catch {
      return deliveries
    }
    return deliveries.slice(0, moved.room)
  }

  #record(envelope: string): Claimed {
    const tag = this.#claimer.nextTag()
    this.#hasCome = true
    this.#move?.record(tag, envelope)
    return { tag, queue: this.#claimer.firstQueue, envelope }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new BrokerError('the consumer is closed')
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#closing !== undefined || signal.aborted
  }

  async #settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    if (settlements.length === 0) return []
    const recording = this.#move?.recorded()
    if (recording !== undefined) await recording
    const lost = await asBroker(() => applySettlements(this.#settling, settlements))
    for (const { delivery } of settlements) this.#unsettled.delete(delivery.tag)
    this.#endWait?.()
    return lost
  }

  async #close(): Promise<void> {
    this.#endWait?.()
    await this.#fetching
    await this.#move?.close()
    try {
      await this.#restorer.release(this.holder)
      await this.#move?.waitForMessage()
      this.#parts.link.listening.changedHere()
    } catch {
      // The connection is gone; the lease ends by itself.
    }
    this.#unsettled.clear()
    this.#parts.closed()
  }

  /**
   * Wait for a message or a change after the `seen`-th, at most `ms` and as long as patience lasts.
   *
   * @returns Whether that is all: what came with the wake-up needs no further look.
   */
  async #idle({ seen, told, ms, signal }: Idle): Promise<boolean> {
    const { listening } = this.#parts.link
    const patienceMs = listening.isTracking ? PATIENCE_MS : POLL_MS
    if (listening.count !== seen) return false
    if (told === 'others' && this.#room(1) > 0) this.#move?.begin(() => this.#endWait?.())
    await this.#wait(Math.min(ms, patienceMs), signal)
    const hasMoved = this.#move?.hasMoved === true
    this.#ending = this.#move?.end()
    return (hasMoved && (await this.#ending) !== undefined) || this.#isOver(signal)
  }

  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    const { listening } = this.#parts.link
    await wait({
      ms,
      signal,
      until: (end) => {
        this.#endWait = end
        return listening.changes(end)
      },
    })
    this.#endWait = undefined
  }

  /** Does the connection that hears live, if it heard nothing, and is a message of Celery's workers overdue? */
  async #lookAfterOthers(seen: number): Promise<void> {
    const { listening } = this.#parts.link
    if (listening.count === seen) listening.probe()
    if (performance.now() < this.#overdueAtMs) return
    this.#overdueAtMs = performance.now() + OVERDUE_EVERY_MS
    await this.#restorer.restoreOverdue(this.#parts.visibilityTimeoutMs)
  }
}
