import type { Consumer, Delivery } from '../../broker/contract.js'
import type { Clock } from '../../util/clock.js'
import type { ClaimWindow } from '../claim/claim-window.js'

/** Header of a message that was put back on purpose and counted: how often that was. */
const REQUEUES = 'lovage-requeues'

/** Deliveries of a message whose worker was lost, however few are allowed: the second is a run by itself. */
const LEAST_DELIVERIES = 2
/** How long a task has to run before it is no longer thought to be about to kill its worker, in milliseconds. */
const PROVEN_MS = 10_000
/** The same for what runs beside the last run that a message is allowed. */
const LAST_PROVEN_MS = 60_000
/** How long a suspect that has to wait is left to other workers, in milliseconds. */
const BACK_MS = 250

/** A body that runs, as far as suspects mind. */
export interface Neighbour {
  /** When it was started, on the monotonic clock; 0 before. */
  readonly startedMs: number
}

/** The claims that a suspect is one of, as far as it minds. */
export interface SuspectClaims {
  readonly consumer: Pick<Consumer, 'setCredit'>
  /** How many are not settled. */
  readonly inUse: number
  /** A claim is over. */
  release(tag: string): void
}

/** What a {@link Suspects} works with. */
export interface SuspectsParts<Claims extends SuspectClaims> {
  readonly clock: Clock
  readonly elapsedMs: () => number
  readonly window: ClaimWindow
  readonly maxDeliveries: number
  readonly running: () => ReadonlySet<Neighbour>
  /** Give back, unspent, what is read ahead. */
  readonly giveBackBuffered: () => void
  /** Give a suspect back, unspent, hidden for this long. */
  readonly giveBack: (claims: Claims, delivery: Delivery, delayMs: number) => void
  /** Start it; `undefined` when it was settled without a run. */
  readonly start: (claims: Claims, delivery: Delivery) => Neighbour | undefined
}

/** A suspect that waits here for its turn. */
interface Waiting<Claims> {
  readonly claims: Claims
  readonly delivery: Delivery
}

/** How often the workers that had a message were lost. */
export function losses({ deliveryCount, message }: Delivery): number {
  const requeues = message.headers[REQUEUES]
  return Math.max(0, deliveryCount - 1 - (typeof requeues === 'number' ? requeues : 0))
}

/**
 * Whether it was delivered as often as allowed. The first loss is held against no message: the store counts claims,
 * and a claim does not tell whether the message had started.
 */
export function isSpent(delivery: Delivery, maxDeliveries: number): boolean {
  const { deliveryCount } = delivery
  return deliveryCount > maxDeliveries && (deliveryCount > LEAST_DELIVERIES || losses(delivery) === 0)
}

/** Whether a worker that had it was lost; what is set aside anyway need not be suspected. */
export function isSuspect(delivery: Delivery, maxDeliveries: number): boolean {
  return losses(delivery) > 0 && !isSpent(delivery, maxDeliveries)
}

/** Headers of a delivery that goes back on purpose and is counted: no worker was lost. */
export function requeueHeaders({ message }: Delivery): Readonly<Record<string, number>> {
  const before = message.headers[REQUEUES]
  return { [REQUEUES]: (typeof before === 'number' ? before : 0) + 1 }
}

/**
 * Runs suspects, messages whose worker was lost, one at a time: a process that dies takes everything that it claimed with
 * it, and only one of those messages may be the reason.
 *
 * A suspect starts when nothing else that is claimed here has yet to start and every body has run for
 * {@link PROVEN_MS}. Then nothing is claimed until it ends, or has run for as long itself; in the last run that
 * `maxDeliveries` allows, until it ends. So a message is set aside only after a death beside nothing else.
 *
 * States: open → closed (a suspect waits) → alone (it runs) → open, one message at a time until one comes that is no
 * suspect.
 */
export class Suspects<Claims extends SuspectClaims> {
  readonly #parts: SuspectsParts<Claims>
  #state: 'open' | 'closed' | 'alone' = 'open'
  #waiting: Waiting<Claims> | undefined
  #run: Neighbour | undefined
  /** Whether the last suspect met has no run left after its next one. */
  #isLast = false
  #isStarting = false
  #isStopped = false
  #isOneByOne = false
  #consumer: Claims['consumer'] | undefined
  #cancelTimer: (() => void) | undefined

  constructor(parts: SuspectsParts<Claims>) {
    this.#parts = parts
  }

  /** Take the suspects of a batch; the rest of it is in the buffer, and nothing of it has started. */
  meet(claims: Claims, suspects: readonly Delivery[]): void {
    if (suspects.length === 0) {
      if (this.#isOneByOne && this.#state === 'open') this.#endOneByOne()
      return
    }
    const [first, ...rest] = suspects
    const isTaken = this.#state !== 'open' || this.#isStopped
    for (const delivery of isTaken ? suspects : rest) this.#parts.giveBack(claims, delivery, BACK_MS)
    if (isTaken || first === undefined) return
    this.#state = 'closed'
    this.#isLast = first.deliveryCount >= this.#parts.maxDeliveries
    this.#waiting = { claims, delivery: first }
    this.#parts.window.mode = 'closed'
    this.#parts.giveBackBuffered()
    // Were the process to die of another body now, the last chance of this one would be gone.
    if (this.#isLast && this.#quietInMs() > 0) this.giveBackWaiting()
    this.look()
  }

  /** Something ended, or was settled. */
  look(): void {
    if (this.#state === 'open' || this.#isStopped) return
    if (this.#state === 'alone') this.#lookAlone()
    else if (this.#waiting === undefined || this.#parts.window.isSettled) this.#lookClosed()
  }

  /** These claims are over: those of the tags, or all of the set. */
  loseClaims(claims: Claims, tags?: ReadonlySet<string>): void {
    const waiting = this.#waiting
    if (waiting?.claims !== claims || tags?.has(waiting.delivery.tag) === false) return
    this.#waiting = undefined
    claims.release(waiting.delivery.tag)
    this.look()
  }

  /** Give back what waits; nothing starts any more. */
  stop(): void {
    this.#isStopped = true
    this.#cancelTimer?.()
    this.giveBackWaiting()
  }

  /** Give back the suspect that waits here, if there is one. */
  giveBackWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined)
      this.#parts.giveBack(waiting.claims, waiting.delivery, this.#isStopped ? 0 : BACK_MS)
  }

  #lookClosed(): void {
    const waitMs = this.#quietInMs()
    if (waitMs > 0) this.#lookIn(waitMs)
    else if (this.#waiting === undefined) this.#open()
    else if (!this.#isStarting) void this.#start(this.#waiting)
  }

  /** Never rejects. */
  async #start(waiting: Waiting<Claims>): Promise<void> {
    this.#isStarting = true
    const { claims, delivery } = waiting
    try {
      // What the driver has beyond it goes back, too.
      await claims.consumer.setCredit(Math.max(1, claims.inUse))
      this.#consumer = claims.consumer
    } catch {
      // The connection is lost; whether the claim is lost with it, its settlement will tell.
    }
    this.#isStarting = false
    if (this.#waiting !== waiting) {
      this.look()
      return
    }
    this.#waiting = undefined
    this.#run = this.#parts.start(claims, delivery)
    this.#state = 'alone'
    this.look()
  }

  #lookAlone(): void {
    const run = this.#run
    const isRunning = run !== undefined && this.#parts.running().has(run)
    if (!isRunning) this.#open()
    else if (!this.#isLast) {
      const leftMs = run.startedMs === 0 ? PROVEN_MS : run.startedMs + PROVEN_MS - this.#parts.elapsedMs()
      if (leftMs > 0) this.#lookIn(leftMs)
      else this.#open()
    }
  }

  #open(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#run = undefined
    this.#state = 'open'
    const { window } = this.#parts
    // Rejects when the connection is lost, and its credit with it.
    void this.#consumer?.setCredit(window.most).catch(() => undefined)
    this.#consumer = undefined
    this.#isOneByOne = true
    window.mode = 'one-by-one'
  }

  #endOneByOne(): void {
    this.#isOneByOne = false
    this.#parts.window.mode = 'free'
  }

  /** In how many milliseconds every body has run for long enough; 0 when that is so. */
  #quietInMs(): number {
    const provenMs = this.#isLast ? LAST_PROVEN_MS : PROVEN_MS
    const nowMs = this.#parts.elapsedMs()
    let waitMs = 0
    for (const { startedMs } of this.#parts.running()) {
      const leftMs = startedMs === 0 ? provenMs : startedMs + provenMs - nowMs
      waitMs = Math.max(waitMs, leftMs)
    }
    return waitMs
  }

  #lookIn(ms: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#parts.clock.setTimer(ms, () => this.look(), { unref: true })
  }
}
