import type { Consumer, ConsumeOptions, Delivery, FetchOptions, HandBack } from '../../src/broker/contract.js'
import { BrokerError } from '../../src/errors/errors.js'
import { wait } from '../../src/util/wait.js'
import type { Ended } from './ended.js'
import { asBroker } from './failure.js'
import type { SqsFailure } from './failure.js'
import type { LeaseDeadlines } from './lease-deadlines.js'
import { monotonicMs } from '../../src/util/monotonic.js'
import type { LongClaims } from './long-claims/long-claims.js'
import { Polls } from './polls.js'
import type { QueueRef } from './queue-ref.js'
import { toDelivery } from './received.js'
import type { Received } from './received.js'
import type { Returner } from './returner.js'
import type { SqsSettings } from './settings.js'
import { PrefetchBuffer } from './prefetch-buffer.js'

/** What a consumer is made from. */
export interface ConsumerParts {
  readonly holder: string
  readonly refs: readonly QueueRef[]
  readonly options: ConsumeOptions
  readonly settings: SqsSettings
  readonly book: LeaseDeadlines
  readonly returner: Returner
  readonly longClaims: LongClaims
  /** The present moment at the service, in epoch milliseconds. */
  readonly now: () => number
  /** A queue is not where it was. */
  readonly missing: (queue: string) => void
  readonly closed: () => void
}

/** From here on a fetch counts as one of many, in milliseconds. */
const PATIENT_MS = 5_000

/** How long closing waits for long polls that are still under way, in milliseconds. */
const CLOSE_MS = 4_500

interface UnsettledMessage {
  readonly tag: string
  readonly claim: Received
  readonly delivery: Delivery
}

/** Claims of one consumer. */
export class SqsConsumer implements Consumer {
  readonly holder: string
  readonly #parts: ConsumerParts
  readonly #polls: Polls
  readonly #room: PrefetchBuffer
  readonly #unsettled = new Map<string, Received>()
  /** Settled by a call that failed for others: a second call is told that it was done. */
  readonly #done = new Set<string>()
  /** Groups of which a message was handed out and is not settled. */
  readonly #groups = new Set<string>()
  readonly #isBusy = (group: string): boolean => this.#groups.has(group)
  #credit: number
  #failure: SqsFailure | undefined
  #endWait: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(parts: ConsumerParts) {
    const { holder, options, refs, settings, returner, now } = parts
    this.holder = holder
    this.#parts = parts
    this.#credit = options.credit
    this.#room = new PrefetchBuffer({
      now,
      leaseMs: options.leaseMs,
      returned: (messages) => returner.giveBack(messages),
    })
    const { ceilingMs, attributeNames, waitSeconds } = settings
    this.#polls = new Polls({
      refs,
      waitSeconds,
      wish: { leaseMs: options.leaseMs, ceilingMs, attributeNames },
      came: (messages) => {
        this.#came(messages)
      },
      failed: (failure, ref) => {
        if (failure.kind === 'missing') parts.missing(ref.name)
        this.#failure = failure
        this.#endWait?.()
      },
    })
    parts.longClaims.watch(this.#unsettled)
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    return asBroker(() => this.#fetch(max, options))
  }

  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#end(deliveries, (held) => this.#parts.returner.acknowledge(held.map(({ claim }) => claim)))
  }

  handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    const wishes = new Map(items.map((item) => [item.delivery.tag, item]))
    return this.#end(
      items.map(({ delivery }) => delivery),
      async (held) => {
        await this.#returnFollowers(held.map(({ claim }) => claim))
        return this.#parts.returner.handBack(
          held.flatMap(({ claim, tag }) => {
            const wish = wishes.get(tag)
            return wish === undefined ? [] : [{ claim, wish }]
          }),
        )
      },
    )
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    await this.#newsOfRenewals(deliveries)
    return deliveries.filter(({ tag }) => this.#isHeld(tag))
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    if (this.#unsettled.size >= credit) {
      await this.#polls.idle()
      await this.#parts.returner.giveBack(this.#room.empty())
    }
    this.#endWait?.()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #fetch(max: number, { waitMs, signal }: FetchOptions): Promise<readonly Delivery[]> {
    this.#assertOpen()
    const deadline = performance.now() + waitMs
    // Whoever waits for long asks again at once: a request may go on beyond this fetch.
    const isPatient = waitMs >= PATIENT_MS
    let hasLooked = false
    for (;;) {
      const room = Math.min(max, this.#credit - this.#unsettled.size)
      const ready = this.#room.take(room, this.#isBusy)
      if (ready.length > 0) return this.#handOut(ready)
      this.#throwFailure()
      const leftMs = deadline - performance.now()
      if (this.#isOver(signal) || (leftMs <= 0 && hasLooked)) return []
      const hasTime = leftMs >= 1_000
      if (room > 0 && !hasLooked && !hasTime) await this.#polls.look(room - this.#room.size(this.#isBusy))
      else {
        // Where there is a second left, the service tells of messages.
        const pollMs = isPatient ? Number.POSITIVE_INFINITY : leftMs
        if (room > 0 && hasTime) this.#polls.wait(room - this.#room.size(this.#isBusy), pollMs)
        await this.#idle(leftMs, { room, signal })
      }
      hasLooked = true
    }
  }

  /** Wait until something comes or changes; for what is here and not due yet only where there is room for it. */
  async #idle(leftMs: number, { room, signal }: { room: number; signal: AbortSignal }): Promise<void> {
    await wait({
      ms: room > 0 ? Math.min(leftMs, this.#room.nextMs(this.#isBusy)) : leftMs,
      signal,
      until: (end) => {
        this.#endWait = end
        return () => {
          this.#endWait = undefined
        }
      },
    })
  }

  #came(messages: readonly Received[]): void {
    const { early, ready } = this.#room.sorted(messages)
    // A request may have been under way when the credit shrank.
    if (this.#unsettled.size >= this.#credit) void this.#parts.returner.giveBack(ready)
    else for (const message of ready) this.#room.add(message)
    this.#parts.returner.park(early)
    this.#endWait?.()
  }

  #handOut(messages: readonly Received[]): readonly Delivery[] {
    return messages.map((message) => {
      this.#unsettled.set(message.tag, message)
      if (message.group !== undefined) this.#groups.add(message.group)
      this.#parts.book.enter(message.tag, message.untilMs)
      return toDelivery(message)
    })
  }

  /** What waits here behind a message that goes back goes back too: the service then hands out the group in its order. */
  async #returnFollowers(claims: readonly Received[]): Promise<void> {
    const groups = new Set(claims.flatMap(({ group }) => group ?? []))
    await this.#parts.returner.giveBack(this.#room.remove(groups))
  }

  #isHeld(tag: string): boolean {
    const until = this.#parts.book.until(tag)
    return this.#unsettled.has(tag) && until !== undefined && until > monotonicMs()
  }

  /** End claims that hold; resolves with those that did not. */
  async #end(
    deliveries: readonly Delivery[],
    work: (held: readonly UnsettledMessage[]) => Promise<Ended>,
  ): Promise<readonly Delivery[]> {
    await this.#newsOfRenewals(deliveries)
    const { held, lost } = this.#sorted(deliveries)
    const { done, stale, failure } = await work(held)
    const over = [...lost.flatMap(({ tag }) => this.#unsettled.get(tag) ?? []), ...stale]
    await this.#returnFollowers(over)
    for (const { tag } of lost) this.#forget(tag)
    for (const { tag, claim } of held) {
      if (!done.has(claim) && !stale.has(claim)) continue
      this.#forget(tag)
      if (failure !== undefined) this.#done.add(tag)
    }
    this.#endWait?.()
    if (failure !== undefined) throw failure
    return [...lost, ...held.filter(({ claim }) => stale.has(claim)).map(({ delivery }) => delivery)]
  }

  #sorted(deliveries: readonly Delivery[]): { held: readonly UnsettledMessage[]; lost: readonly Delivery[] } {
    const held: UnsettledMessage[] = []
    const lost: Delivery[] = []
    for (const delivery of deliveries) {
      const { tag } = delivery
      if (this.#done.delete(tag)) continue
      const claim = this.#unsettled.get(tag)
      if (claim !== undefined && this.#isHeld(tag)) held.push({ tag, claim, delivery })
      else lost.push(delivery)
    }
    return { held, lost }
  }

  /** A thread that was busy has not heard yet what another one renewed for it. */
  async #newsOfRenewals(deliveries: readonly Delivery[]): Promise<void> {
    const isOver = deliveries.some(({ tag }) => this.#unsettled.has(tag) && !this.#isHeld(tag))
    for (let turn = 0; isOver && turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  #forget(tag: string): void {
    const claim = this.#unsettled.get(tag)
    if (claim?.group !== undefined) {
      this.#groups.delete(claim.group)
      this.#polls.freed(claim.ref)
    }
    this.#unsettled.delete(tag)
    this.#parts.book.remove(tag)
  }

  async #close(): Promise<void> {
    this.#endWait?.()
    await this.#polls.close(CLOSE_MS)
    const { returner, longClaims } = this.#parts
    const held = [...this.#unsettled.values()].filter(({ tag }) => this.#isHeld(tag))
    const waiting = this.#room.empty()
    await returner.giveBack([...held, ...waiting])
    longClaims.leave(this.#unsettled)
    for (const tag of [...this.#unsettled.keys()]) this.#forget(tag)
    this.#parts.closed()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new BrokerError('the consumer is closed')
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#closing !== undefined || signal.aborted
  }
}
