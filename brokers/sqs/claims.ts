import type { ConsumeOptions, Delivery, HandBack, Settlement } from '../../src/broker/contract.js'
import { ChangeSignal } from '../../src/broker/leased-consumer.js'
import type { ClaimAttempt, ClaimRound, LeasedClaims } from '../../src/broker/leased-consumer.js'
import type { Ended } from './ended.js'
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

/** What claims are made from. */
export interface ClaimsParts {
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
}

/** From here on a fetch counts as one of many, in milliseconds. */
const PATIENT_MS = 5_000
/** Where so much is left of a fetch, the service tells of messages; in milliseconds. */
const LONG_POLL_MS = 1_000
/** How long closing waits for long polls that are still under way, in milliseconds. */
const CLOSE_MS = 4_500

interface UnsettledMessage {
  readonly claim: Received
  readonly delivery: Delivery
  readonly wish: Omit<HandBack, 'delivery'> | undefined
}

/** Claims of one consumer. */
export class SqsClaims implements LeasedClaims {
  readonly holder: string
  readonly unsettled: Map<string, Received> = new Map()
  readonly changes: ChangeSignal = new ChangeSignal()
  readonly isAtomic = false
  readonly #parts: ClaimsParts
  readonly #polls: Polls
  readonly #prefetch: PrefetchBuffer
  /** Settled by a call that failed for others: a second call learns that it was done. */
  readonly #done = new Set<string>()
  /** Groups of which a message was handed out and is not settled. */
  readonly #groups = new Set<string>()
  readonly #isBusy = (group: string): boolean => this.#groups.has(group)
  #credit: number
  #failure: SqsFailure | undefined

  constructor(parts: ClaimsParts) {
    const { holder, options, refs, settings, returner, now } = parts
    const { leaseMs } = options
    this.holder = holder
    this.#parts = parts
    this.#credit = options.credit
    this.#prefetch = new PrefetchBuffer({ now, leaseMs, returned: (messages) => returner.giveBack(messages) })
    const { ceilingMs, attributeNames, waitSeconds } = settings
    this.#polls = new Polls({
      refs,
      waitSeconds,
      wish: { leaseMs, ceilingMs, attributeNames },
      came: (messages) => {
        this.#came(messages)
      },
      failed: (failure, ref) => {
        if (failure.kind === 'missing') parts.missing(ref.name)
        this.#failure = failure
        this.changes.signal()
      },
    })
    parts.longClaims.watch(this.unsettled)
  }

  async claim(max: number, { isFirst, waitMs, leftMs, signal }: ClaimRound): Promise<ClaimAttempt> {
    const deliveries = this.#take(max)
    if (deliveries.length > 0 || max === 0 || signal.aborted) return { deliveries }
    const wanted = max - this.#prefetch.size(this.#isBusy)
    if (leftMs >= LONG_POLL_MS) {
      // Whoever waits for long asks again at once: a request may go on beyond this fetch.
      this.#polls.wait(wanted, waitMs >= PATIENT_MS ? Number.POSITIVE_INFINITY : leftMs)
    } else if (isFirst) {
      await this.#polls.look(wanted)
      const found = this.#take(max)
      if (found.length > 0) return { deliveries: found }
    }
    return { deliveries, nextMs: Math.max(1, this.#prefetch.nextMs(this.#isBusy)) }
  }

  /** End claims that hold: they are all acknowledged, or all given back. Resolves with those that did not hold. */
  async settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    await this.#newsOfRenewals(settlements.map(({ delivery }) => delivery))
    const { held, lost } = this.#sorted(settlements)
    const { done, stale, failure } = await this.#end(held)
    const over = [...lost.flatMap(({ tag }) => this.unsettled.get(tag) ?? []), ...stale]
    await this.#returnFollowers(over)
    for (const { tag } of lost) this.#forget(tag)
    for (const { claim } of held) {
      if (!done.has(claim) && !stale.has(claim)) continue
      this.#forget(claim.tag)
      if (failure !== undefined) this.#done.add(claim.tag)
    }
    this.changes.signal()
    if (failure !== undefined) throw failure
    return [...lost, ...held.filter(({ claim }) => stale.has(claim)).map(({ delivery }) => delivery)]
  }

  async verify(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    await this.#newsOfRenewals(deliveries)
    return deliveries.filter(({ tag }) => this.#isHeld(tag))
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    if (this.unsettled.size < credit) return
    await this.#polls.idle()
    await this.#parts.returner.giveBack(this.#prefetch.empty())
  }

  async release(): Promise<void> {
    await this.#polls.close(CLOSE_MS)
    const { returner, longClaims } = this.#parts
    const held = [...this.unsettled.values()].filter(({ tag }) => this.#isHeld(tag))
    await returner.giveBack([...held, ...this.#prefetch.empty()])
    longClaims.leave(this.unsettled)
    for (const tag of [...this.unsettled.keys()]) this.#forget(tag)
  }

  #came(messages: readonly Received[]): void {
    const { early, ready } = this.#prefetch.sorted(messages)
    // A request may have been under way when the credit shrank.
    if (this.unsettled.size >= this.#credit) void this.#parts.returner.giveBack(ready)
    else for (const message of ready) this.#prefetch.add(message)
    this.#parts.returner.park(early)
    this.changes.signal()
  }

  /** Hand out what is here. Throws the failure of a request when there is nothing. */
  #take(max: number): readonly Delivery[] {
    const ready = this.#prefetch.take(max, this.#isBusy)
    const failure = this.#failure
    if (ready.length === 0 && failure !== undefined) {
      this.#failure = undefined
      throw failure
    }
    return ready.map((message) => {
      this.unsettled.set(message.tag, message)
      if (message.group !== undefined) this.#groups.add(message.group)
      this.#parts.book.enter(message.tag, message.untilMs)
      return toDelivery(message)
    })
  }

  async #end(held: readonly UnsettledMessage[]): Promise<Ended> {
    const { returner } = this.#parts
    const claims = held.map(({ claim }) => claim)
    const returns = held.flatMap(({ claim, wish }) => (wish === undefined ? [] : [{ claim, wish }]))
    if (returns.length === 0) return returner.acknowledge(claims)
    await this.#returnFollowers(claims)
    return returner.handBack(returns)
  }

  /** What waits here behind a message that goes back goes back too: the service then hands out the group in its order. */
  async #returnFollowers(claims: readonly Received[]): Promise<void> {
    const groups = new Set(claims.flatMap(({ group }) => group ?? []))
    await this.#parts.returner.giveBack(this.#prefetch.remove(groups))
  }

  #isHeld(tag: string): boolean {
    const until = this.#parts.book.until(tag)
    return this.unsettled.has(tag) && until !== undefined && until > monotonicMs()
  }

  #sorted(settlements: readonly Settlement[]): {
    held: readonly UnsettledMessage[]
    lost: readonly Delivery[]
  } {
    const held: UnsettledMessage[] = []
    const lost: Delivery[] = []
    for (const { delivery, handBack: wish } of settlements) {
      const { tag } = delivery
      if (this.#done.delete(tag)) continue
      const claim = this.unsettled.get(tag)
      if (claim !== undefined && this.#isHeld(tag)) held.push({ claim, delivery, wish })
      else lost.push(delivery)
    }
    return { held, lost }
  }

  /** A thread that was busy has not heard yet what another one renewed for it. */
  async #newsOfRenewals(deliveries: readonly Delivery[]): Promise<void> {
    const isOver = deliveries.some(({ tag }) => this.unsettled.has(tag) && !this.#isHeld(tag))
    for (let turn = 0; isOver && turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  #forget(tag: string): void {
    const claim = this.unsettled.get(tag)
    if (claim?.group !== undefined) {
      this.#groups.delete(claim.group)
      this.#polls.freed(claim.ref)
    }
    this.unsettled.delete(tag)
    this.#parts.book.remove(tag)
  }
}
