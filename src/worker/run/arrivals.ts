import type { Delivery } from '../../broker/contract.js'
import type { BoardedRuns } from './boarded-runs.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { ClaimWindow } from '../claim/claim-window.js'
import type { WorkerHost } from '../host.js'
import type { Intake } from './intake.js'
import type { ReclaimedRuns } from './reclaimed-runs.js'
import { Run } from './run.js'
import type { SettleItem } from '../settle/settle-item.js'
import { isSuspect, losses, Suspects } from './suspects.js'
import type { TaskLog } from './task-log.js'

/** What {@link Arrivals} work with. */
export interface ArrivalsParts {
  readonly host: Pick<WorkerHost, 'clock' | 'elapsedMs'>
  readonly window: ClaimWindow
  readonly maxDeliveries: number
  readonly reclaimed: ReclaimedRuns
  readonly boarded: BoardedRuns
  readonly log: TaskLog
  readonly running: () => ReadonlySet<Run>
  /** Let a run wait for a slot. */
  readonly buffer: (run: Run) => void
  /** Start a run now. */
  readonly begin: (run: Run) => void
  readonly settle: (item: SettleItem) => void
  readonly giveBackBuffered: () => void
}

/** Sorts what was claimed: into the buffer, back to a run that goes on, among the suspects, or to a settlement without a run. */
export class Arrivals {
  readonly suspects: Suspects<ClaimSet>
  readonly #parts: ArrivalsParts
  #intake: Intake | undefined

  constructor(parts: ArrivalsParts) {
    this.#parts = parts
    this.suspects = new Suspects({
      clock: parts.host.clock,
      elapsedMs: parts.host.elapsedMs,
      window: parts.window,
      maxDeliveries: parts.maxDeliveries,
      running: parts.running,
      giveBackBuffered: parts.giveBackBuffered,
      giveBack: (claims, delivery, delayMs) => this.#giveBack(claims, delivery, delayMs),
      start: (claims, delivery) => this.#startSuspect(claims, delivery),
    })
  }

  /** Set once, before the first delivery. */
  set intake(intake: Intake) {
    this.#intake = intake
  }

  /** Take a batch that was claimed. */
  receive(claims: ClaimSet, batch: readonly Delivery[]): void {
    const { reclaimed, boarded, maxDeliveries, buffer } = this.#parts
    const suspects: Delivery[] = []
    const isTakenBack = boarded.areTakenBack()
    if (isTakenBack) this.giveBackWaiting()
    for (const delivery of batch) {
      claims.take(delivery.tag)
      if (isTakenBack) this.#giveBack(claims, delivery, 0)
      else if (reclaimed.resume({ claims, delivery })) continue
      else if (isSuspect(delivery, maxDeliveries)) suspects.push(delivery)
      else {
        const run = this.#take(claims, delivery)
        if (run !== undefined) buffer(run)
      }
    }
    claims.flush?.()
    this.suspects.meet(claims, suspects)
  }

  /** Another thread has given back what waits, unless a claim came to it meanwhile: the store knows. */
  giveBackWaiting(): void {
    this.#parts.giveBackBuffered()
    this.suspects.giveBackWaiting()
  }

  #giveBack(claims: ClaimSet, delivery: Delivery, delayMs: number): void {
    const refusal = this.#intake?.handBack(claims, delivery, delayMs)
    if (refusal !== undefined) this.#parts.settle(refusal)
  }

  #startSuspect(claims: ClaimSet, delivery: Delivery): Run | undefined {
    const run = this.#take(claims, delivery)
    if (run === undefined) return undefined
    this.#parts.log.suspected(run, losses(delivery))
    this.#parts.begin(run)
    return run
  }

  /** A run, or `undefined` for what is settled without one. */
  #take(claims: ClaimSet, delivery: Delivery): Run | undefined {
    const { reclaimed, boarded, log, settle } = this.#parts
    const taken = this.#intake?.take(claims, delivery)
    if (taken === undefined) return undefined
    if (!(taken instanceof Run)) {
      settle(taken)
      return undefined
    }
    reclaimed.add(taken)
    boarded.add(taken)
    log.received(taken)
    return taken
  }
}
