import type { Delivery, Settlement } from '../../broker/contract.js'
import type { StateUpdate } from '../../task/context.js'
import { toFailure } from '../../task/execute.js'
import type { Outcome } from '../../task/outcome.js'
import { failpoint } from '../../util/failpoint.js'
import { Arrivals } from './arrivals.js'
import { callAfterwards } from './afterwards.js'
import { afterRefusal, noteRefusal, withSmallerLetter } from '../settle/after-refusal.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { ClaimWindow } from '../claim/claim-window.js'
import type { StalledPrefetch } from '../claim/stalled-prefetch.js'
import type { WorkerHost } from '../host.js'
import type { Intake } from './intake.js'
import { InterimStates } from './interim-states.js'
import type { EventLoopMonitor } from './event-loop-monitor.js'
import { BoardedRuns } from './boarded-runs.js'
import type { ClaimBoard } from '../lease/claim-board.js'
import type { OutcomeSettlements, Verdict } from '../settle/outcome-settlement.js'
import type { CancelReason, Job, Pool } from '../pool/pool.js'
import { ReclaimedRuns } from './reclaimed-runs.js'
import type { Records } from '../settle/records.js'
import type { Rejection } from '../settle/rejections.js'
import { RunBuffer } from './run-buffer.js'
import { Run, type RunOwner } from './run.js'
import type { SettleItem } from '../settle/settle-item.js'
import { SettlementsUnderWay } from './settlements-under-way.js'
import type { TaskLog } from './task-log.js'
import type { InterruptedTask } from '../worker-options.js'

/** What a {@link Dispatcher} works with. */
export interface DispatcherParts {
  readonly host: WorkerHost
  readonly pool: Pool
  readonly window: ClaimWindow
  readonly records: Records
  readonly outcomes: OutcomeSettlements
  readonly log: TaskLog
  readonly stalledPrefetch: StalledPrefetch
  readonly eventLoop: EventLoopMonitor
  readonly board: ClaimBoard
  readonly maxDeliveries: number
}

/** Longest stretch of starting bodies without a turn of the event loop, in milliseconds. */
const LONGEST_TURN_MS = 20

/**
 * Takes deliveries through their states: buffered, (acknowledged early,) running, settling, done.
 *
 * Owned by the worker; nothing else changes a run's state. See `docs/internals/worker-states.md`.
 */
export class Dispatcher implements RunOwner {
  readonly #parts: DispatcherParts
  readonly #window: ClaimWindow
  readonly #boarded: BoardedRuns
  readonly #interim: InterimStates
  readonly #arrivals: Arrivals
  readonly #buffer: RunBuffer
  readonly #running = new Set<Run>()
  readonly #interrupted: InterruptedTask[] = []
  #afterwards = 0
  readonly #settlements: SettlementsUnderWay
  #drainWaiters: (() => void)[] = []
  #isStopping = false
  #isPumpDue = false
  readonly #reclaimed: ReclaimedRuns

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    this.#reclaimed = new ReclaimedRuns({
      elapsedMs: parts.host.elapsedMs,
      isRunning: (run) => this.#running.has(run),
      settle: (run) => this.#settle(run),
      log: parts.log,
    })
    this.#window = parts.window
    this.#settlements = new SettlementsUnderWay(parts.window)
    this.#boarded = new BoardedRuns(parts.board)
    this.#interim = new InterimStates(parts.host, parts.records)
    this.#buffer = new RunBuffer(parts.window)
    this.#arrivals = new Arrivals({
      ...parts,
      reclaimed: this.#reclaimed,
      boarded: this.#boarded,
      running: () => this.#running,
      buffer: (run) => this.#buffer.add(run),
      begin: (run) => this.#begin(run),
      settle: (item) => this.#settle(item),
      giveBackBuffered: () => this.handBackBuffered(),
    })
  }

  /** Set once, before the first delivery: the intake needs the dispatcher as the owner of its runs. */
  set intake(intake: Intake) {
    this.#arrivals.intake = intake
  }

  /** Runs whose body has started and not ended. */
  get running(): ReadonlySet<Run> {
    return this.#running
  }

  /** Runs that the shutdown cut short so far. */
  get interrupted(): readonly InterruptedTask[] {
    return this.#interrupted
  }

  /** Deliveries that wait for a slot. */
  get buffered(): number {
    return this.#buffer.size
  }

  /** Take a batch that was claimed. */
  receive(claims: ClaimSet, batch: readonly Delivery[]): void {
    failpoint('worker.claimed')
    this.#arrivals.receive(claims, batch)
    if (this.#isStopping) this.handBackBuffered()
    else this.#pump()
  }

  /** Give back what has not started, as if it had not been claimed. */
  handBackBuffered(): number {
    const waiting = this.#buffer.take()
    for (const run of waiting) this.#giveBack(run)
    return waiting.length
  }

  /** No run starts any more; what is buffered goes back. */
  stop(): void {
    this.#isStopping = true
    this.#arrivals.suspects.stop()
    this.handBackBuffered()
  }

  /** Resolves when nothing runs and nothing waits for a store. */
  async drained(): Promise<void> {
    while (this.#running.size > 0 || this.#afterwards > 0 || this.#settlements.count > 0) {
      await new Promise<void>((resolve) => this.#drainWaiters.push(resolve))
    }
  }

  /** Resolves when no body runs. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await new Promise<void>((resolve) => this.#drainWaiters.push(resolve))
  }

  /** The claims of these tags are someone else's by now; all claims of the set when no tags are named. */
  loseClaims(claims: ClaimSet, tags?: ReadonlySet<string>): void {
    this.#forgetBuffered((run) => run.claims === claims && (tags?.has(run.delivery.tag) ?? true))
    this.#arrivals.suspects.loseClaims(claims, tags)
    for (const run of this.#running) {
      if (run.claims !== claims || run.acked || run.acking || run.dropped) continue
      if (tags === undefined || tags.has(run.delivery.tag)) this.#drop(run, 'lease-lost')
    }
  }

  /** Store a state of the user's own, unless the claim is gone or results are ignored. */
  async updateState(job: Job, update: StateUpdate): Promise<void> {
    if (job instanceof Run && !job.dropped) await this.#interim.update(job, update)
  }

  /** The body of a run threw where nothing catches it: the task fails, and what the body still does is ignored. */
  fail(run: Run, error: Error): void {
    const failure = toFailure(error, this.#parts.host)
    this.#ended(run, { kind: 'failure', failure, expected: false, children: [] })
  }

  /** Ask every body to end: only a success is still settled as such. */
  interrupt(): void {
    for (const run of this.#running) {
      run.interrupted = 'shutdown'
      run.job?.cancel('shutdown')
    }
  }

  /**
   * The connection of these claims is gone. Where they died with it, what has not begun must not begin.
   *
   * @param cancels - Whether bodies that would be acknowledged after their end are asked to end now.
   */
  connectionLost(claims: ClaimSet, cancels: boolean): void {
    this.#settlements.lose(claims)
    const areDead = claims.broker.capabilities.claims === 'connection'
    if (areDead) {
      this.#forgetBuffered((run) => run.claims === claims)
      this.#arrivals.suspects.loseClaims(claims)
    }
    if (!cancels) return
    for (const run of this.#running) {
      if (run.claims !== claims || run.acked || run.acking || run.dropped) continue
      if (areDead) {
        this.#drop(run, 'connection-lost')
      } else {
        run.interrupted ??= 'connection-lost'
        run.job?.cancel('connection-lost')
      }
    }
  }

  /** Give back what still runs; its outcome is ignored when it comes. */
  abandonRunning(): void {
    for (const run of [...this.#running]) {
      this.#running.delete(run)
      this.#window.ended()
      this.#noteInterrupted(run)
      if (run.acking) run.settlement = handedBack(run)
      else if (!run.acked) this.#giveBack(run)
      run.dropped = true
    }
    this.#notifyDrained()
  }

  settled(item: Run | Rejection, applied: boolean): void {
    this.#settlements.end(item)
    if (item instanceof Run) this.#runSettled(item, applied)
    else this.#release(item)
    this.#notifyDrained()
  }

  refused(item: Run | Rejection, error: Error): void {
    const { task, id } = item.delivery.message.headers
    this.#parts.host.logger.error({ err: error, task, id }, `a settlement was refused: ${error.message}`)
    const smaller = withSmallerLetter(item, error)
    if (smaller !== undefined) {
      this.#settlements.end(item)
      item.settlement = smaller
      this.#settle(item)
      return
    }
    noteRefusal(item)
    if (item instanceof Run && item.acking && !item.dropped) this.#endUnacknowledged(item)
    if (item instanceof Run && item.outcome !== undefined && item.refusals === 1) {
      this.#settlements.end(item)
      const verdict = this.#parts.outcomes.afterRefusal(item, error)
      item.stage = 'new'
      this.#apply(item, verdict)
      return
    }
    const next = afterRefusal(item, error, this.#parts.host.storeClock.now())
    if (next === undefined) {
      this.settled(item, false)
      return
    }
    this.#settlements.end(item)
    item.stage = 'new'
    item.settlement = next
    this.#settle(item)
  }

  /** Take lost claims out of the buffer: they must not start. */
  #forgetBuffered(isLost: (run: Run) => boolean): void {
    for (const run of this.#buffer.take(isLost)) {
      run.dropped = true
      this.#release(run)
    }
  }

  #pump(): void {
    this.#arrivals.suspects.look()
    const { pool, stalledPrefetch, host } = this.#parts
    if (this.#isPumpDue) return
    const sinceMs = this.#buffer.size > 0 ? host.elapsedMs() : 0
    while (this.#running.size < pool.concurrency && !this.#isStopping) {
      const run = this.#buffer.next()
      if (run === undefined) break
      this.#begin(run)
      stalledPrefetch.started += 1
      if (run.startedMs - sinceMs > LONGEST_TURN_MS) {
        this.#pumpLater()
        break
      }
    }
    if (this.buffered > 0) stalledPrefetch.watch()
    this.#window.wake()
  }

  /** Bodies that compute before they first wait must not keep timers and signals from their turn. */
  #pumpLater(): void {
    this.#isPumpDue = true
    setImmediate(() => {
      this.#isPumpDue = false
      this.#pump()
    })
  }

  #begin(run: Run): void {
    if (!this.#boarded.start(run)) {
      this.#giveBack(run)
      this.#arrivals.giveBackWaiting()
      return
    }
    // Taken before the early acknowledgement, so that the slot is there when it is confirmed.
    this.#running.add(run)
    this.#window.began()
    if (this.#running.size === 1) this.#parts.eventLoop.begin()
    if (run.policy.acksLate) {
      this.#start(run)
      return
    }
    run.acking = true
    this.#settle(run)
  }

  #start(run: Run): void {
    failpoint('worker.before-start')
    run.startedMs = this.#parts.host.elapsedMs()
    if (run.policy.trackStarted && this.#parts.host.backend !== undefined) {
      // Cannot reject: it ends in #run.
      void this.#storeStarted(run)
      return
    }
    this.#run(run)
  }

  async #storeStarted(run: Run): Promise<void> {
    await this.#interim.started(run)
    if (!run.dropped) this.#run(run)
  }

  #run(run: Run): void {
    const job = this.#boarded.current(run, () => this.#parts.pool.run(run))
    run.job = job
    failpoint('worker.started')
    // The pool's outcome never rejects.
    void job.outcome.then((outcome) => {
      this.#ended(run, outcome)
    })
  }

  #ended(run: Run, outcome: Outcome): void {
    // It was dropped, or has failed before it ended.
    if (!this.#running.has(run)) return
    failpoint('worker.ended')
    this.#boarded.end(run)
    run.tookMs = this.#parts.host.elapsedMs() - run.startedMs
    this.#running.delete(run)
    this.#window.ended(run.tookMs)
    this.#parts.eventLoop.ended(run)
    if (run.interrupted !== undefined && !run.acked && outcome.kind !== 'success') {
      if (run.interrupted === 'shutdown') this.#noteInterrupted(run)
      else this.#parts.log.handedBack(run)
      this.#giveBack(run)
    } else {
      this.#conclude(run, outcome)
    }
    this.#pump()
    this.#notifyDrained()
  }

  #conclude(run: Run, outcome: Outcome): void {
    const verdict = this.#parts.outcomes.decide(run, outcome)
    if (!(verdict instanceof Promise)) {
      this.#apply(run, verdict)
      return
    }
    this.#afterwards += 1
    // Never rejects: what goes wrong becomes a failure of the task.
    void verdict.then((decided) => {
      this.#afterwards -= 1
      this.#apply(run, decided)
    })
  }

  #apply(run: Run, verdict: Verdict): void {
    run.outcome = verdict.outcome
    run.settlement = verdict.settlement
    this.#reclaimed.move(run)
    run.declares = verdict.declares
    if (verdict.alsoFailed !== undefined) run.alsoFailed = verdict.alsoFailed
    // Settled first: nothing that is said about a run may keep its end from the store.
    this.#settle(run)
    this.#parts.log.ended(run, verdict.outcome)
  }

  #noteInterrupted(run: Run): void {
    this.#parts.log.handedBack(run)
    const { id, task } = run.request
    this.#interrupted.push({ id, task, queue: run.delivery.queue, handedBack: !run.acked })
  }

  #giveBack(run: Run): void {
    run.dropped = true
    run.settlement = handedBack(run)
    this.#settle(run)
  }

  #settle(item: SettleItem): void {
    this.#settlements.begin(item)
    item.claims.settler.add(item)
  }

  #runSettled(run: Run, applied: boolean): void {
    if (run.acked) this.#boarded.remove(run)
    if (!run.acked) this.#release(run)
    if (run.successor !== undefined) this.#reclaimed.settleAgain(run, applied)
    else if (run.outcome === undefined && !run.dropped) this.#acknowledgedEarly(run, applied)
    else if (!applied && !run.dropped) this.#reclaimed.lost(run)
    else if (applied && run.outcome !== undefined) this.#afterSettlement(run, run.outcome)
  }

  #acknowledgedEarly(run: Run, applied: boolean): void {
    run.acking = false
    if (applied) {
      run.acked = true
      run.stage = 'new'
      this.#boarded.add(run)
      this.#boarded.start(run)
      this.#start(run)
      return
    }
    this.#running.delete(run)
    this.#window.ended()
    this.#pump()
  }

  /** The store refuses the early acknowledgement: whatever it accepts in its place must not start the body. */
  #endUnacknowledged(run: Run): void {
    run.acking = false
    run.dropped = true
    this.#running.delete(run)
    this.#window.ended()
    this.#pump()
  }

  #afterSettlement(run: Run, outcome: Outcome): void {
    if (!run.policy.hasHandlers && run.alsoFailed.length === 0) return
    this.#afterwards += 1
    // Cannot reject: both parts log their errors.
    void callAfterwards(run, outcome, this.#parts.host).then(() => {
      this.#afterwards -= 1
      this.#notifyDrained()
    })
  }

  #drop(run: Run, reason: CancelReason): void {
    run.dropped = true
    this.#running.delete(run)
    this.#window.ended()
    this.#release(run)
    this.#parts.log.lost(run)
    run.job?.cancel(reason)
    this.#pump()
  }

  #release(item: Run | Rejection): void {
    this.#reclaimed.forget(item.delivery.tag)
    if (item instanceof Run) this.#boarded.remove(item)
    item.claims.release(item.delivery.tag)
  }

  #notifyDrained(): void {
    this.#arrivals.suspects.look()
    const waiters = this.#drainWaiters
    if (waiters.length === 0) return
    this.#drainWaiters = []
    for (const resolve of waiters) resolve()
  }
}

function handedBack({ delivery }: Run): Settlement {
  return { delivery, publish: [], handBack: { delayMs: 0, unspent: true } }
}
