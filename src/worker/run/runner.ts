import type { Settlement } from '../../broker/contract.js'
import { runHandlers, toFailure } from '../../task/execute.js'
import type { Outcome } from '../../task/outcome.js'
import { failpoint } from '../../util/failpoint.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { WorkerHost } from '../host.js'
import type { ClaimBoard } from '../lease/claim-board.js'
import type { CancelReason, Pool } from '../pool/pool.js'
import { afterRefusal, noteRefusal, withSmallerLetter } from '../settle/after-refusal.js'
import type { OutcomeSettlements, Verdict } from '../settle/outcome-settlement.js'
import type { InterruptedTask } from '../worker-options.js'
import type { ClaimedDelivery, DeliveryOwner } from './delivery.js'
import type { EventLoopMonitor } from './event-loop-monitor.js'
import type { Records } from '../settle/records.js'
import { ReclaimedRuns } from './reclaimed-runs.js'
import { Run, type Claim } from './run.js'
import type { TaskLog } from './task-log.js'
import type { UnderWay } from './under-way.js'

/** What a {@link Runner} works with. */
export interface RunnerParts {
  readonly host: WorkerHost
  readonly pool: Pool
  readonly records: Records
  readonly outcomes: OutcomeSettlements
  readonly log: TaskLog
  readonly eventLoop: EventLoopMonitor
  readonly board: ClaimBoard
  readonly underWay: UnderWay
}

/** What a {@link Runner} calls back. */
export interface RunnerListener {
  /** A slot is free. */
  readonly slotFreed: () => void
  /** Something ended, or was settled. */
  readonly changed: () => void
}

/**
 * Takes each delivery from the moment it may start to its one end, through the states of {@link NEXT_STATES}. Nothing else
 * changes the state of a run that holds a slot.
 */
export class Runner implements DeliveryOwner {
  readonly #parts: RunnerParts
  readonly #listener: RunnerListener
  readonly #interrupted: InterruptedTask[] = []
  readonly #reclaimed: ReclaimedRuns

  constructor(parts: RunnerParts, listener: RunnerListener) {
    this.#parts = parts
    this.#listener = listener
    this.#reclaimed = new ReclaimedRuns(parts.host.elapsedMs, parts.log, (run) => this.settle(run))
  }

  /** Runs that the shutdown cut short so far. */
  get interrupted(): readonly InterruptedTask[] {
    return this.#interrupted
  }

  /** A run was accepted and waits for its start. */
  accept(run: Run): void {
    this.#reclaimed.add(run)
    this.#post(run)
    this.#parts.log.received(run)
  }

  /** Let the run of a message that came back go on under its new claim; false when it has none here. */
  resume(claim: Claim): boolean {
    return this.#reclaimed.resume(claim)
  }

  /** Start a run, or give it back. @returns `false` when nothing that waits may start: other workers may have it by now. */
  begin(run: Run): boolean {
    const { board, underWay, eventLoop } = this.#parts
    if (!board.start(run.slot)) {
      board.noticed()
      this.giveBack(run)
      return false
    }
    // Taken before the early acknowledgement, so that the slot is there when it is confirmed.
    underWay.begin(run)
    if (underWay.running.size === 1) eventLoop.begin()
    if (run.policy.acksLate) {
      this.#start(run)
    } else {
      run.become('acknowledging')
      this.settle(run)
    }
    return true
  }

  /** Give back what has not ended, as if it had not been claimed. */
  giveBack(run: Run): void {
    run.become('handing-back')
    run.settlement = handedBack(run)
    this.settle(run)
  }

  /** The claim of a run that has not begun is lost: it must not start. */
  forget(run: Run): void {
    run.become('lost')
    this.#release(run)
  }

  /** Send a settlement to its store. */
  settle(item: ClaimedDelivery): void {
    this.#parts.underWay.settling(item)
    item.claims.settler.add(item)
  }

  /** The body of a run threw where nothing catches it: the task fails, and what the body still does is ignored. */
  fail(run: Run, error: Error): void {
    const failure = toFailure(error, this.#parts.host)
    this.#ended(run, { kind: 'failure', failure, expected: false, children: [] })
  }

  /** Runs of these claims, of all or of these tags, are someone else's by now. */
  loseClaims(claims: ClaimSet, tags?: ReadonlySet<string>): void {
    for (const run of this.#runningUnder(claims))
      if (tags?.has(run.delivery.tag) ?? true) this.#drop(run, 'lease-lost')
  }

  /** The connection of these claims is gone: ask bodies to end that would be acknowledged after their end. */
  cancelUnder(claims: ClaimSet): void {
    for (const run of this.#runningUnder(claims)) {
      if (claims.endWithConnection) this.#drop(run, 'connection-lost')
      else this.#interrupt(run, 'connection-lost')
    }
  }

  /** Ask every body to end: only a success is still settled as such. */
  interruptAll(): void {
    for (const run of this.#parts.underWay.running) {
      if (run.isRunning && !run.acked) this.#interrupt(run, 'shutdown')
      else run.job?.cancel('shutdown')
    }
  }

  /** Give back what still runs; its outcome is ignored when it comes. */
  abandonRunning(): void {
    const { underWay } = this.#parts
    for (const run of [...underWay.running]) {
      underWay.end(run)
      this.#noteInterrupted(run)
      if (run.acked) {
        run.become('lost')
      } else if (run.state === 'acknowledging') {
        run.become('handing-back')
        run.settlement = handedBack(run)
      } else {
        this.giveBack(run)
      }
    }
    this.#listener.changed()
  }

  settled(item: ClaimedDelivery, applied: boolean): void {
    this.#parts.underWay.settled(item)
    if (item instanceof Run) {
      this.#runSettled(item, applied)
    } else {
      item.become(applied ? 'done' : 'lost')
      this.#release(item)
    }
    this.#listener.changed()
  }

  refused(item: ClaimedDelivery, error: Error): void {
    const { host, underWay, outcomes } = this.#parts
    const { task, id } = item.delivery.message.headers
    host.logger.error({ err: error, task, id }, `a settlement was refused: ${error.message}`)
    underWay.settled(item)
    const smaller = withSmallerLetter(item, error)
    if (smaller !== undefined) {
      this.#settleInstead(item, smaller)
      return
    }
    noteRefusal(item)
    if (item.state === 'acknowledging' && item instanceof Run) this.#endUnacknowledged(item)
    if (item.state === 'settling' && item instanceof Run && item.refusals === 1) {
      const verdict = outcomes.afterRefusal(item, error)
      item.stage = 'new'
      this.#apply(item, verdict)
      return
    }
    const { expiresMs } = outcomes.letters
    const next = afterRefusal(item, error, { atMs: host.storeClock.now(), expiresMs })
    if (next === undefined) this.settled(item, false)
    else this.#settleInstead(item, next)
  }

  #settleInstead(item: ClaimedDelivery, settlement: Settlement): void {
    item.stage = 'new'
    item.settlement = settlement
    this.settle(item)
  }

  /** Bodies that run under one of these claims. */
  #runningUnder(claims: ClaimSet): readonly Run[] {
    return [...this.#parts.underWay.running].filter(
      (run) => run.claims === claims && run.isRunning && !run.acked,
    )
  }

  #start(run: Run): void {
    const { host } = this.#parts
    run.become('running')
    failpoint('worker.before-start')
    run.startedMs = host.elapsedMs()
    if (run.policy.trackStarted && host.backend !== undefined) {
      // Cannot reject: it ends in #run.
      void this.#storeStarted(run)
      return
    }
    this.#run(run)
  }

  async #storeStarted(run: Run): Promise<void> {
    await this.#parts.records.storeStarted(run)
    if (run.isRunning) this.#run(run)
  }

  #run(run: Run): void {
    const { board, pool } = this.#parts
    // Until the body first waits, nothing else of this thread runs.
    const job = board.current(run.slot, () => pool.run(run))
    run.job = job
    failpoint('worker.started')
    // The pool's outcome never rejects.
    void job.outcome.then((outcome) => {
      this.#ended(run, outcome)
    })
  }

  #ended(run: Run, outcome: Outcome): void {
    // It was dropped, or has failed before it ended.
    if (!run.isRunning) return
    failpoint('worker.ended')
    const { board, host, underWay, eventLoop, log } = this.#parts
    board.end(run.slot)
    run.tookMs = host.elapsedMs() - run.startedMs
    underWay.end(run, run.tookMs)
    eventLoop.ended(run)
    if (run.state === 'interrupted' && outcome.kind !== 'success') {
      if (run.interruption === 'shutdown') this.#noteInterrupted(run)
      else log.handedBack(run)
      this.giveBack(run)
    } else {
      this.#conclude(run, outcome)
    }
    this.#listener.slotFreed()
    this.#listener.changed()
  }

  #conclude(run: Run, outcome: Outcome): void {
    run.become('deciding')
    const { outcomes, underWay } = this.#parts
    const verdict = outcomes.decide(run, outcome)
    if (!(verdict instanceof Promise)) this.#apply(run, verdict)
    // Never rejects: what goes wrong becomes a failure of the task.
    else underWay.follow(verdict.then((decided) => this.#apply(run, decided)))
  }

  #apply(run: Run, verdict: Verdict): void {
    if (run.state === 'deciding') run.become('settling')
    run.outcome = verdict.outcome
    run.settlement = verdict.settlement
    this.#reclaimed.move(run)
    run.declares = verdict.declares
    if (verdict.alsoFailed !== undefined) run.alsoFailed = verdict.alsoFailed
    // Settled first: nothing that is said about a run may keep its end from the store.
    this.settle(run)
    this.#parts.log.ended(run, verdict.outcome)
  }

  #runSettled(run: Run, applied: boolean): void {
    if (run.acked) this.#parts.board.remove(run)
    else this.#release(run)
    if (run.successor !== undefined) this.#reclaimed.settleAgain(run, applied)
    else if (run.state === 'acknowledging') this.#acknowledgedEarly(run, applied)
    else if (run.state === 'handing-back') run.become(applied ? 'handed-back' : 'lost')
    else if (!applied) this.#reclaimed.lost(run)
    else this.#done(run)
  }

  #acknowledgedEarly(run: Run, applied: boolean): void {
    if (applied) {
      run.stage = 'new'
      this.#post(run)
      this.#parts.board.start(run.slot)
      this.#start(run)
      return
    }
    run.become('lost')
    this.#freeSlot(run)
  }

  /** The store refuses the early acknowledgement: whatever it accepts in its place must not start the body. */
  #endUnacknowledged(run: Run): void {
    run.become('handing-back')
    this.#freeSlot(run)
  }

  #done(run: Run): void {
    const { outcome, policy, alsoFailed } = run
    run.become('done')
    if (outcome === undefined || (!policy.hasHandlers && alsoFailed.length === 0)) return
    this.#parts.underWay.follow(this.#callAfterwards(run, outcome), this.#listener.changed)
  }

  /** Store the failures of later elements of its chain, and call its handlers. Never rejects: both log their errors. */
  async #callAfterwards(run: Run, outcome: Outcome): Promise<void> {
    const { backend, logger } = this.#parts.host
    if (run.alsoFailed.length > 0) {
      try {
        await backend?.store(run.alsoFailed, { ttlMs: run.settlement.recordTtlMs ?? 0 })
      } catch (error) {
        logger.error({ err: error, id: run.request.id }, 'the failure of a chain could not be stored')
      }
    }
    if (run.policy.hasHandlers) await runHandlers(run.definition, run.request, outcome, logger)
  }

  #interrupt(run: Run, reason: NonNullable<Run['interruption']>): void {
    if (run.state === 'running') run.become('interrupted')
    if (run.interruption !== 'shutdown') run.interruption = reason
    run.job?.cancel(reason)
  }

  #noteInterrupted(run: Run): void {
    this.#parts.log.handedBack(run)
    const { id, task } = run.request
    this.#interrupted.push({ id, task, queue: run.delivery.queue, handedBack: !run.acked })
  }

  #drop(run: Run, reason: CancelReason): void {
    run.become('lost')
    this.#parts.underWay.end(run)
    this.#release(run)
    this.#parts.log.lost(run)
    run.job?.cancel(reason)
    this.#listener.slotFreed()
  }

  #freeSlot(run: Run): void {
    this.#parts.underWay.end(run)
    this.#listener.slotFreed()
  }

  #post(run: Run): void {
    const { board } = this.#parts
    if (board.isWatched) run.slot = board.add(run.delivery.tag, run.request, run.hardLimitMs)
  }

  #release(item: ClaimedDelivery): void {
    this.#reclaimed.forget(item.delivery.tag)
    if (item instanceof Run) this.#parts.board.remove(item)
    item.claims.release(item.delivery.tag)
  }
}

function handedBack({ delivery }: Run): Settlement {
  return { delivery, publish: [], handBack: { delayMs: 0, unspent: true } }
}
