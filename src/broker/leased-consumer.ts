import { BrokerError } from '../errors/errors.js'
import type { Clock } from '../util/clock.js'
import { withDeadline } from '../util/deadline.js'
import { wait } from '../util/wait.js'
import type { Consumer, Delivery, FetchOptions, HandBack, Settlement } from './contract.js'

/** Wakes fetches that wait. */
export interface Changes {
  /** How often something changed; two equal numbers mean that nothing was missed in between. */
  readonly count: number
  /** Call `wake` after each change, possibly more often, until the result is called. */
  subscribe(wake: () => void): () => void
}

/** Changes that the driver itself reports. */
export class ChangeSignal implements Changes {
  readonly #listeners = new Set<() => void>()
  #count = 0

  get count(): number {
    return this.#count
  }

  subscribe(wake: () => void): () => void {
    this.#listeners.add(wake)
    return () => {
      this.#listeners.delete(wake)
    }
  }

  /** Something changed. */
  signal(): void {
    this.#count += 1
    for (const wake of [...this.#listeners]) wake()
  }
}

/** One look of a fetch for messages. */
export interface ClaimRound extends FetchOptions {
  /** Whether the fetch has just begun. */
  readonly isFirst: boolean
  /** How much is left of `waitMs`. */
  readonly leftMs: number
}

/** What a look found. */
export interface ClaimAttempt {
  readonly deliveries: readonly Delivery[]
  /**
   * When to look again although nothing changed, in milliseconds from now: the poll interval, or when a message is due or a
   * lease of another holder ends; 0 at once. Means nothing beside deliveries.
   *
   * @defaultValue `Infinity`
   */
  readonly nextMs?: number
}

/** The claims of one holder in one store: what a driver supplies to {@link LeasedConsumer}. */
export interface LeasedClaims {
  /** Identifies the claims to `Leases`; absent where they do not expire. */
  readonly holder?: string
  /**
   * What is claimed and not settled: by tag, what the driver needs to settle it. `claim` enters its deliveries; what was
   * settled is removed by the consumer. A driver that finds claims lost may remove them.
   */
  readonly unsettled: Map<string, unknown>
  readonly changes: Changes
  /** Whether `settle` publishes, stores the result and ends the claim in one atomic step. */
  readonly isAtomic: boolean
  /** Runs at the beginning of each fetch. */
  prepare?(options: FetchOptions): Promise<void>
  /** Claim up to `max` messages, 0 when there is no credit left, and count each claim before it is handed out. */
  claim(max: number, round: ClaimRound): ClaimAttempt | Promise<ClaimAttempt>
  /**
   * What came with the wake-up, for stores that send the message with it; asked after each wait.
   *
   * @param max - How much of it may be handed out.
   * @param isOver - Whether the fetch ends now, so that no look follows.
   */
  arrived?(max: number, isOver: boolean): Promise<readonly Delivery[]>
  /**
   * Acknowledge, or give back where the settlement says so; resolves with the deliveries whose claim was lost. Where
   * `isAtomic` is false, settlements neither publish nor store.
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]>
  /** Which of these claims still hold, asked of the store. */
  verify?(deliveries: readonly Delivery[]): Promise<readonly Delivery[]>
  /** The bound on unsettled deliveries changed; for drivers that hold messages no fetch has taken. */
  setCredit?(credit: number): Promise<void>
  /** Give back everything the holder has, unspent. A failure is ignored: the leases end by themselves. */
  release(): Promise<void>
}

/** How a {@link LeasedConsumer} works, beside its claims. */
export interface LeasedConsumerOptions {
  /** Initial bound on unsettled deliveries. */
  readonly credit: number
  /**
   * Does work and turns what the client library throws into broker errors.
   *
   * @defaultValue errors pass as they are
   */
  readonly asBroker?: <Result>(work: () => Promise<Result>) => Promise<Result>
  /**
   * How long closing waits for a fetch that is under way, in milliseconds.
   *
   * @defaultValue `Infinity`
   */
  readonly closeMs?: number
  /**
   * Where waits take their time from.
   *
   * @defaultValue a monotonic clock
   */
  readonly clock?: Clock
  /** Called once, when the consumer is closed. */
  readonly closed?: () => void
}

/**
 * A consumer whose claims are leases in a store: credit, waiting, waking, settlement bookkeeping and closing, around what a
 * driver knows of its store.
 *
 * One fetch is under way at a time. Settlements may run beside it.
 */
export class LeasedConsumer implements Consumer {
  readonly holder?: string
  readonly settle?: (settlements: readonly Settlement[]) => Promise<readonly Delivery[]>
  readonly verify?: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>
  readonly #claims: LeasedClaims
  readonly #options: LeasedConsumerOptions
  readonly #asBroker: <Result>(work: () => Promise<Result>) => Promise<Result>
  #credit: number
  #endWait: (() => void) | undefined
  #fetching: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(claims: LeasedClaims, options: LeasedConsumerOptions) {
    this.#claims = claims
    this.#options = options
    this.#asBroker = options.asBroker ?? ((work) => work())
    this.#credit = options.credit
    if (claims.holder !== undefined) this.holder = claims.holder
    if (claims.isAtomic) this.settle = (settlements) => this.#settle(settlements)
    const verify = claims.verify?.bind(claims)
    if (verify !== undefined) this.verify = (deliveries) => this.#asBroker(() => verify(deliveries))
  }

  fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    const fetching = this.#asBroker(() => this.#fetch(max, options))
    this.#fetching = fetching
    return fetching
  }

  ack(deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
    return this.#settle(deliveries.map((delivery) => ({ delivery, publish: [] })))
  }

  handBack(items: readonly HandBack[]): Promise<readonly Delivery[]> {
    return this.#settle(items.map(({ delivery, ...handBack }) => ({ delivery, publish: [], handBack })))
  }

  async setCredit(credit: number): Promise<void> {
    this.#credit = credit
    await this.#claims.setCredit?.(credit)
    this.#endWait?.()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #fetch(max: number, options: FetchOptions): Promise<readonly Delivery[]> {
    if (this.#closing !== undefined) throw new BrokerError('the consumer is closed')
    const { waitMs, signal } = options
    const claims = this.#claims
    if (claims.prepare !== undefined) await claims.prepare(options)
    const deadlineMs = this.#now() + waitMs
    for (let isFirst = true; ; isFirst = false) {
      const seen = claims.changes.count
      const room = this.#room(max)
      const looking = claims.claim(room, { isFirst, waitMs, leftMs: deadlineMs - this.#now(), signal })
      // What a store in this process answers at once stays true until the wait begins.
      const { deliveries, nextMs = Number.POSITIVE_INFINITY } =
        looking instanceof Promise ? await looking : looking
      if (deliveries.length > 0) return this.#handOut(deliveries)
      const leftMs = deadlineMs - this.#now()
      if (leftMs <= 0 || this.#isOver(signal)) return []
      // A change that came during the look has woken no one.
      if (this.#hasChanged(seen, room, max)) continue
      await this.#wait(Math.min(leftMs, nextMs), signal)
      const arrived = await this.#arrived(max, signal)
      if (arrived.length > 0 || this.#isOver(signal)) return this.#handOut(arrived)
    }
  }

  /** How many more may be claimed. */
  #room(max: number): number {
    if (this.#closing !== undefined) return 0
    return Math.max(0, Math.min(max, this.#credit - this.#claims.unsettled.size))
  }

  /** What comes after `close` is given back by it. */
  #handOut(deliveries: readonly Delivery[]): readonly Delivery[] {
    return this.#closing === undefined ? deliveries : []
  }

  #isOver(signal: AbortSignal): boolean {
    return this.#closing !== undefined || signal.aborted
  }

  #now(): number {
    return this.#options.clock?.now() ?? performance.now()
  }

  /** There was a change after the `seen`-th, or there is credit where there was none. */
  #hasChanged(seen: number, room: number, max: number): boolean {
    return this.#claims.changes.count !== seen || (room === 0 && this.#room(max) > 0)
  }

  async #arrived(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    return (await this.#claims.arrived?.(this.#room(max), this.#isOver(signal))) ?? []
  }

  /** Wait for a change, and for no longer than `ms`. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0) return
    const { clock } = this.#options
    const until = (end: () => void): (() => void) => {
      this.#endWait = end
      return this.#claims.changes.subscribe(end)
    }
    await wait({ ms, signal, until, ...(clock !== undefined && { clock }) })
    this.#endWait = undefined
  }

  async #settle(settlements: readonly Settlement[]): Promise<readonly Delivery[]> {
    if (settlements.length === 0) return []
    const { unsettled } = this.#claims
    const lost = await this.#asBroker(() => this.#claims.settle(settlements))
    for (const { delivery } of settlements) unsettled.delete(delivery.tag)
    // There may be room for more.
    this.#endWait?.()
    return lost
  }

  async #close(): Promise<void> {
    this.#endWait?.()
    const { closeMs: ms = Number.POSITIVE_INFINITY, closed } = this.#options
    const late = (): Error => new BrokerError('the fetch did not end')
    // A claim under way is made before, so that it is given back with the rest.
    await withDeadline(this.#fetching, { ms, late }).catch(() => undefined)
    await this.#claims.release().catch(() => undefined)
    this.#claims.unsettled.clear()
    closed?.()
  }
}
