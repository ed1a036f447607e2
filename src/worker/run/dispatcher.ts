import type { Delivery } from '../../broker/contract.js'
import { failpoint } from '../../util/failpoint.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { ClaimWindow } from '../claim/claim-window.js'
import { Rejections } from '../settle/rejections.js'
import type { WorkerSettings } from '../settings.js'
import { Intake } from './intake.js'
import { RunBuffer } from './run-buffer.js'
import { Run } from './run.js'
import { Runner, type RunnerParts } from './runner.js'
import { isSuspect, losses, Suspects } from './suspects.js'

/** What a {@link Dispatcher} works with. */
export interface DispatcherParts extends RunnerParts {
  readonly settings: WorkerSettings
  readonly window: ClaimWindow
}

/** Longest stretch of starting bodies without a turn of the event loop, in milliseconds. */
const LONGEST_TURN_MS = 20
/** Least wait before what was read ahead is given back, in milliseconds. */
const LEAST_STALLED_MS = 100

/**
 * Sorts what was claimed: into the buffer, back to a run that goes on, among the suspects, or to a settlement without a run;
 * and starts what waits as slots become free.
 */
export class Dispatcher {
  /** Takes what was started to its end. */
  readonly runner: Runner
  readonly #parts: DispatcherParts
  readonly #intake: Intake
  readonly #buffer: RunBuffer
  readonly #suspects: Suspects<ClaimSet>
  #isStopping = false
  #isPumpDue = false
  /** A fetch that was under way when claims were taken back may bring some of them. */
  #isNextBatchTakenBack = false

  constructor(parts: DispatcherParts) {
    const { host, settings, window, records, underWay } = parts
    this.#parts = parts
    this.runner = new Runner(parts, {
      slotFreed: () => this.#pump(),
      changed: () => this.#changed(),
    })
    const rejections = new Rejections(host, settings, records, this.runner)
    this.#intake = new Intake({ host, settings, rejections, owner: this.runner })
    this.#buffer = new RunBuffer({
      clock: host.clock,
      window,
      stalledMs: Math.max(LEAST_STALLED_MS, 2 * settings.readAheadMs),
      stalled: () => {
        window.forgetSpeed()
        this.#handBackBuffered()
      },
    })
    this.#suspects = new Suspects({
      clock: host.clock,
      elapsedMs: host.elapsedMs,
      window,
      maxDeliveries: settings.maxDeliveries,
      running: () => underWay.running,
      giveBackBuffered: () => this.#handBackBuffered(),
      giveBack: (claims, delivery, delayMs) => this.#giveBack(claims, delivery, delayMs),
      start: (claims, delivery) => this.#startSuspect(claims, delivery),
    })
  }

  /** Deliveries that wait for a slot. */
  get buffered(): number {
    return this.#buffer.size
  }

  /** Take a batch that was claimed. */
  receive(claims: ClaimSet, batch: readonly Delivery[]): void {
    failpoint('worker.claimed')
    const suspects: Delivery[] = []
    const isTakenBack = this.#isTakenBack()
    if (isTakenBack) this.#giveBackWaiting()
    for (const delivery of batch) {
      claims.take(delivery.tag)
      if (isTakenBack) this.#giveBack(claims, delivery, 0)
      else if (this.runner.resume({ claims, delivery })) continue
      else if (isSuspect(delivery, this.#parts.settings.maxDeliveries)) suspects.push(delivery)
      else {
        const run = this.#accept(claims, delivery)
        if (run !== undefined) this.#buffer.add(run)
      }
    }
    claims.flush?.()
    this.#suspects.meet(claims, suspects)
    if (this.#isStopping) this.#handBackBuffered()
    else this.#pump()
  }

  /** No run starts any more; what is buffered goes back. */
  stop(): void {
    this.#isStopping = true
    this.#suspects.stop()
    this.#handBackBuffered()
    this.#buffer.stop()
  }

  /** The claims of these tags are someone else's by now; all claims of the set when no tags are named. */
  loseClaims(claims: ClaimSet, tags?: ReadonlySet<string>): void {
    this.#forgetBuffered((run) => run.claims === claims && (tags?.has(run.delivery.tag) ?? true))
    this.#suspects.loseClaims(claims, tags)
    this.runner.loseClaims(claims, tags)
  }

  /**
   * The connection of these claims is gone. Where they died with it, what has not begun must not begin.
   *
   * @param cancels - Whether bodies that would be acknowledged after their end are asked to end now.
   */
  connectionLost(claims: ClaimSet, cancels: boolean): void {
    this.#parts.underWay.lose(claims)
    if (claims.endWithConnection) {
      this.#forgetBuffered((run) => run.claims === claims)
      this.#suspects.loseClaims(claims)
    }
    if (cancels) this.runner.cancelUnder(claims)
  }

  /** Whether what a fetch has brought, and what waits, was taken back by another thread meanwhile. */
  #isTakenBack(): boolean {
    const { board } = this.#parts
    const is = this.#isNextBatchTakenBack || board.isTakenBack
    this.#isNextBatchTakenBack = false
    if (is) board.noticed()
    return is
  }

  /** Another thread has given back what waits, unless a claim came to it meanwhile: the store knows. */
  #giveBackWaiting(): void {
    this.#handBackBuffered()
    this.#suspects.giveBackWaiting()
  }

  #handBackBuffered(): void {
    for (const run of this.#buffer.take()) this.runner.giveBack(run)
  }

  #giveBack(claims: ClaimSet, delivery: Delivery, delayMs: number): void {
    this.runner.settle(this.#intake.handBack(claims, delivery, delayMs))
  }

  /** Take lost claims out of the buffer. */
  #forgetBuffered(isLost: (run: Run) => boolean): void {
    for (const run of this.#buffer.take(isLost)) this.runner.forget(run)
  }

  /** A run, or `undefined` for what is settled without one. */
  #accept(claims: ClaimSet, delivery: Delivery): Run | undefined {
    const taken = this.#intake.take(claims, delivery)
    if (!(taken instanceof Run)) {
      this.runner.settle(taken)
      return undefined
    }
    this.runner.accept(taken)
    return taken
  }

  #startSuspect(claims: ClaimSet, delivery: Delivery): Run | undefined {
    const run = this.#accept(claims, delivery)
    if (run === undefined) return undefined
    this.#parts.log.suspected(run, losses(delivery))
    this.#begin(run)
    return run
  }

  #begin(run: Run): void {
    if (this.runner.begin(run)) return
    this.#isNextBatchTakenBack = true
    this.#giveBackWaiting()
  }

  #pump(): void {
    this.#suspects.look()
    if (this.#isPumpDue) return
    const { pool, host, window, underWay } = this.#parts
    const sinceMs = this.#buffer.size > 0 ? host.elapsedMs() : 0
    while (underWay.running.size < pool.concurrency && !this.#isStopping) {
      const run = this.#buffer.next()
      if (run === undefined) break
      this.#begin(run)
      if (run.startedMs - sinceMs > LONGEST_TURN_MS) {
        this.#pumpLater()
        break
      }
    }
    this.#buffer.watch()
    window.wake()
  }

  /** Bodies that compute before they first wait must not keep timers and signals from their turn. */
  #pumpLater(): void {
    this.#isPumpDue = true
    setImmediate(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  #changed(): void {
    this.#suspects.look()
    this.#parts.underWay.notify()
  }
}
