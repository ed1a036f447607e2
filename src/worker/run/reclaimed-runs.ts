import type { Claim, Run } from './run.js'
import type { TaskLog } from './task-log.js'

/** How long, and how many, outcomes wait for their messages to come back. */
const WAIT_MS = 300_000
const MOST_WAITING = 256

/**
 * Runs whose claims end with their connection, by the tag of the claim: a message that comes back joins its run, and does
 * not start another.
 *
 * Claims that outlive a connection need none of this.
 */
export class ReclaimedRuns {
  readonly #elapsedMs: () => number
  readonly #log: Pick<TaskLog, 'resumed' | 'waits' | 'lost'>
  readonly #settle: (run: Run) => void
  readonly #runs = new Map<string, Run>()
  /** Runs that are `unclaimed`, and since when. */
  readonly #waiting = new Map<Run, number>()

  constructor(
    elapsedMs: () => number,
    log: Pick<TaskLog, 'resumed' | 'waits' | 'lost'>,
    settle: (run: Run) => void,
  ) {
    this.#elapsedMs = elapsedMs
    this.#log = log
    this.#settle = settle
  }

  /** A run has a claim. */
  add(run: Run): void {
    if (run.claims.endWithConnection) this.#runs.set(run.delivery.tag, run)
  }

  /** A claim is over. */
  forget(tag: string): void {
    this.#runs.delete(tag)
  }

  /** Let the run of a message that came back go on under its new claim; false when it has none here. */
  resume(claim: Claim): boolean {
    const { replaces } = claim.delivery
    const run = replaces === undefined ? undefined : this.#runs.get(replaces)
    if (run?.canMove !== true) return false
    run.successor = claim
    if (this.#waiting.delete(run)) {
      run.become('settling')
      this.settleAgain(run, false)
    } else if (run.isRunning) {
      this.move(run)
    }
    // Else its outcome is on its way to the store, and it moves when that has ended.
    this.#log.resumed(run)
    return true
  }

  /** Move a run to the claim by which its message came back, if any. */
  move(run: Run): void {
    if (run.successor === undefined) return
    const { tag } = run.delivery
    this.forget(tag)
    run.claims.release(tag)
    run.moveTo(run.successor)
    this.add(run)
  }

  /** Write an outcome under the new claim; what was written already is only acknowledged. */
  settleAgain(run: Run, isWritten: boolean): void {
    if (run.successor === undefined) return
    if (isWritten) run.stage = 'stored'
    this.forget(run.delivery.tag)
    run.moveTo(run.successor)
    this.add(run)
    this.#settle(run)
  }

  /** The outcome of a run was not written because its claim was lost. With the connection: its message may come back here. */
  lost(run: Run): void {
    const { endWithConnection, settler } = run.claims
    if (!endWithConnection || !settler.isDead || run.acked) {
      run.become('lost')
      this.#log.lost(run)
      return
    }
    const nowMs = this.#elapsedMs()
    for (const [other, sinceMs] of this.#waiting) {
      if (nowMs - sinceMs < WAIT_MS && this.#waiting.size < MOST_WAITING) break
      this.#waiting.delete(other)
      this.forget(other.delivery.tag)
      other.become('lost')
    }
    run.become('unclaimed')
    this.add(run)
    this.#waiting.set(run, nowMs)
    this.#log.waits(run)
  }
}
