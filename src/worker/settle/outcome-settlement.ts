import type { Delivery, HandBack, Outgoing, QueueSpec, Settlement } from '../../broker/contract.js'
import type { TaskRecord } from '../../backend/contract.js'
import type { LetterLimits } from '../../control/expire-dead-letters.js'
import {
  deadLetterQueueSpec,
  packedLetter,
  toDeadLetter,
  type DeadReason,
} from '../../control/dead-letter.js'
import { BrokerError, TimeLimitError } from '../../errors/errors.js'
import { callErrback, sortErrbacks } from '../../task/errbacks.js'
import { toFailure } from '../../task/execute.js'
import { failedWith, followUps, hasFollowUps, type FollowUps } from '../../task/follow-up.js'
import type { Failure, Outcome } from '../../task/outcome.js'
import { backoffMs } from '../../util/backoff.js'
import { toError } from '../../util/to-error.js'
import type { TaskRequest } from '../../task/request.js'
import type { WorkerHost } from '../host.js'
import { notGivenBack } from './after-refusal.js'
import type { About, Records, StoredResult } from './records.js'
import type { Run } from '../run/run.js'
import { requeueHeaders } from '../run/suspects.js'

/** A settlement, and what else has to be done for it. */
export interface Verdict {
  readonly settlement: Settlement
  /** The outcome as it is told to the handlers: a result that cannot be stored turns success into failure. */
  readonly outcome: Outcome
  /** Declared before the settlement is applied. */
  readonly declares?: QueueSpec
  /** Stored afterwards: later elements of a chain that failed here. */
  readonly alsoFailed?: readonly TaskRecord[]
}

/** The parts of a settlement that depend on the outcome. */
interface Ending {
  readonly stored?: StoredResult | undefined
  readonly publish?: readonly Outgoing[]
  readonly handBack?: Omit<HandBack, 'delivery'>
  readonly declares?: QueueSpec
}

const AGAIN = { firstMs: 50, maxMs: 5_000, jitter: 0.5 }
const NOTHING: readonly never[] = []

/** Turns outcomes into settlements: what is stored, what is published, and how the message ends. */
export class OutcomeSettlements {
  readonly #host: WorkerHost
  readonly #records: Records
  /** How long dead letters are kept. */
  readonly letters: LetterLimits

  constructor(host: WorkerHost, records: Records, letters: LetterLimits) {
    this.#host = host
    this.#records = records
    this.letters = letters
  }

  /** Decide; at once where nothing follows the task, which is nearly always. Never rejects or throws. */
  decide(run: Run, outcome: Outcome): Verdict | Promise<Verdict> {
    if (hasFollowUps(run.request, outcome)) return this.#decideWithFollowUps(run, outcome)
    const verdict = this.#decide(run, outcome)
    return verdict.outcome === outcome ? verdict : this.decide(run, verdict.outcome)
  }

  /** The settlement of a run whose settlement the store refused: a FAILURE that says so, and its dead letter, if it had one or should go back. */
  afterRefusal(run: Run, error: Error): Verdict {
    const outcome = failed(toFailure(error, this.#host))
    const stored = this.#stores(run, true) ? this.#records.failure(run.task, outcome.failure) : undefined
    const { declares, stage, settlement } = run
    if (settlement.handBack !== undefined) {
      const dead = this.#dead(run, outcome, { reason: 'refused', detail: notGivenBack(error) }, { stored })
      const publish = dead.settlement.publish.map((letter) => packedLetter(letter) ?? letter)
      return { ...dead, settlement: { ...dead.settlement, publish } }
    }
    // Acknowledged without its letter, the message would be lost. Where that is published already, it is the last step.
    const letter = declares === undefined || stage !== 'new' ? NOTHING : settlement.publish.slice(-1)
    return verdict(run, outcome, { stored, publish: letter, ...(declares === undefined ? {} : { declares }) })
  }

  async #decideWithFollowUps(run: Run, outcome: Outcome): Promise<Verdict> {
    try {
      const next = await this.#followUps(run, await this.#callErrbacks(run, outcome), outcome)
      for (const problem of next.problems) this.#logErrback(run, problem)
      const verdict = this.#decide(run, outcome, next)
      // A result that cannot be stored is a failure, which has errbacks of its own.
      if (verdict.outcome !== outcome) return await this.decide(run, verdict.outcome)
      return this.#withFailedChain(run, verdict, next.failedChain)
    } catch (error) {
      // What cannot be sent must not look like success, and who waits further down the chain learns of it.
      if (outcome.kind === 'success' || outcome.kind === 'retry')
        return this.decide(run, failed(toFailure(error, this.#host), outcome.children))
      this.#logErrback(run, toError(error))
      return this.#withFailedChain(run, this.#decide(run, outcome), failedWith(run.request, outcome))
    }
  }

  /** Call the errbacks that run here; resolves with the request of what is sent. */
  async #callErrbacks(run: Run, outcome: Outcome): Promise<TaskRequest> {
    const { request } = run
    const failure = failureOf(outcome)
    if (failure === undefined || request.errbacks === null) return request
    const { here, sent } = sortErrbacks(request.errbacks, this.#host.tasks)
    for (const errback of here) await callErrback(this.#host, errback, { request, failure })
    return { ...request, errbacks: sent }
  }

  #logErrback({ request: { task, id } }: Run, error: Error): void {
    this.#host.logger.error(
      { err: error, task, id },
      `An errback of ${task}[${id}] cannot be called: ${error.message}`,
    )
  }

  /** What follows in the chain shares the failure of this task; nothing when the task runs again. */
  #withFailedChain(run: Run, verdict: Verdict, ids: readonly string[]): Verdict {
    const failure = failureOf(verdict.outcome)
    const runsAgain = verdict.settlement.handBack !== undefined
    if (ids.length === 0 || failure === undefined || runsAgain || this.#host.backend === undefined)
      return verdict
    const { replyTo } = run.request
    const about = (id: string): About => (replyTo === undefined ? { id } : { id, replyTo })
    return { ...verdict, alsoFailed: ids.map((id) => this.#records.failure(about(id), failure).record) }
  }

  /**
   * A store that is away for a while makes no failure of a task that ended: asked again until it is back, or until the
   * claim can no longer be settled.
   */
  async #followUps(run: Run, request: TaskRequest, outcome: Outcome): Promise<FollowUps> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await followUps(this.#host.sender, run.task, request, outcome)
      } catch (error) {
        const isDead = run.claims.settler.isDead
        if (!(error instanceof BrokerError && error.retryable) || (isDead && !run.acked)) throw error
        await this.#waitForStore(run, error, backoffMs(tries, AGAIN))
      }
    }
  }

  #waitForStore(run: Run, error: Error, delayMs: number): Promise<void> {
    const { clock, logger } = this.#host
    const { task, id } = run.request
    logger.warn(
      { err: error, task, id, delayMs },
      `What follows ${task}[${id}] could not be prepared: ${error.message}; trying again in ${delayMs} ms`,
    )
    // The end of a worker whose connections are closed does not wait for a store.
    const unref = run.claims.settler.isDead
    return new Promise((resolve) => clock.setTimer(delayMs, resolve, { unref }))
  }

  #decide(run: Run, outcome: Outcome, next?: FollowUps): Verdict {
    const children = next?.children ?? outcome.children
    const publish = next?.publish ?? NOTHING
    switch (outcome.kind) {
      case 'success':
        return this.#success(run, outcome, { children, publish })
      case 'failure':
        return this.#failure(run, outcome, { children, publish })
      case 'retry': {
        const stored = this.#stores(run, false)
          ? this.#records.retry(run.task, outcome.retry.failure, children)
          : undefined
        return verdict(run, outcome, { stored, publish })
      }
      case 'ignore':
        return verdict(run, outcome, {})
      case 'reject':
        return this.#reject(run, outcome, { children, publish })
    }
  }

  #success(
    run: Run,
    outcome: Extract<Outcome, { kind: 'success' }>,
    next: Pick<FollowUps, 'children' | 'publish'>,
  ): Verdict {
    const { publish } = next
    if (!this.#stores(run, false)) return verdict(run, outcome, { publish })
    try {
      return verdict(run, outcome, {
        publish,
        stored: this.#records.success(run.task, outcome.value, next.children),
      })
    } catch (error) {
      return this.#decide(run, failed(toFailure(error, this.#host), outcome.children))
    }
  }

  #failure(
    run: Run,
    outcome: Extract<Outcome, { kind: 'failure' }>,
    next: Pick<FollowUps, 'children' | 'publish'>,
  ): Verdict {
    const { policy, acked } = run
    const timedOut = isHardTimeout(outcome.failure)
    // It runs again, so it has not failed yet.
    if (timedOut && !policy.acksOnTimeout && !acked) return verdict(run, outcome, { handBack: requeued(run) })
    const stored = this.#stores(run, true)
      ? this.#records.failure(run.task, outcome.failure, next.children)
      : undefined
    if (timedOut || policy.acksOnFailure) return verdict(run, outcome, { stored, publish: next.publish })
    return this.#dead(
      run,
      outcome,
      { reason: 'failed', detail: outcome.failure.message },
      { stored, publish: next.publish },
    )
  }

  #reject(
    run: Run,
    outcome: Extract<Outcome, { kind: 'reject' }>,
    next: Pick<FollowUps, 'children' | 'publish'>,
  ): Verdict {
    if (outcome.requeue) return verdict(run, outcome, run.acked ? {} : { handBack: requeued(run) })
    const failure = rejection(outcome.reason)
    const stored = this.#stores(run, true)
      ? this.#records.failure(run.task, failure, next.children)
      : undefined
    return this.#dead(
      run,
      outcome,
      { reason: 'rejected', detail: failure.message },
      { stored, publish: next.publish },
    )
  }

  #dead(
    run: Run,
    outcome: Outcome,
    death: { readonly reason: DeadReason; readonly detail: string },
    ending: Ending,
  ): Verdict {
    const letter = toDeadLetter(run.delivery, {
      ...death,
      atMs: this.#host.storeClock.now(),
      expiresMs: this.letters.expiresMs,
    })
    const declares = deadLetterQueueSpec(run.delivery.queue)
    return verdict(run, outcome, { ...ending, publish: [...(ending.publish ?? NOTHING), letter], declares })
  }

  /** Whether a result is stored; `error` for failures, which can be stored although results are ignored. */
  #stores(run: Run, error: boolean): boolean {
    if (this.#host.backend === undefined) return false
    const ignored = run.task.ignoreResult ?? run.policy.ignoreResult
    return !ignored || (error && run.policy.storeErrorsEvenIfIgnored)
  }
}

function requeued({ delivery }: Run): Omit<HandBack, 'delivery'> {
  return { delayMs: 0, unspent: false, headers: requeueHeaders(delivery) }
}

function verdict(run: Run, outcome: Outcome, ending: Ending): Verdict {
  const settlement = toSettlement(run.delivery, ending)
  return ending.declares === undefined
    ? { settlement, outcome }
    : { settlement, outcome, declares: ending.declares }
}

function toSettlement(delivery: Delivery, { stored, publish = NOTHING, handBack }: Ending): Settlement {
  if (handBack !== undefined) return { delivery, publish, handBack }
  if (stored === undefined) return { delivery, publish }
  return { delivery, publish, record: stored.record, recordTtlMs: stored.recordTtlMs }
}

function failed(
  failure: Failure,
  children: readonly unknown[] = NOTHING,
): Extract<Outcome, { kind: 'failure' }> {
  return { kind: 'failure', failure, expected: false, children }
}

function rejection(why: string | undefined): Failure {
  const reason = why ?? null
  const exception = { exc_type: 'Reject', exc_message: [reason, false], exc_module: 'celery.exceptions' }
  return { exception, traceback: '', message: `Reject: ${reason ?? 'no reason given'}` }
}

/** What a failed task failed with; undefined for any other end. */
function failureOf(outcome: Outcome): Failure | undefined {
  if (outcome.kind === 'failure') return outcome.failure
  return outcome.kind === 'reject' && !outcome.requeue ? rejection(outcome.reason) : undefined
}

function isHardTimeout({ error, exception }: Failure): boolean {
  if (error instanceof TimeLimitError) return !error.soft
  return exception.exc_type === 'TimeLimitExceeded' && exception.exc_module === 'billiard.exceptions'
}
