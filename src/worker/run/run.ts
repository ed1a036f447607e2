import type { TaskRecord } from '../../backend/contract.js'
import type { Delivery, QueueSpec, Settlement } from '../../broker/contract.js'
import type { TaskMessage } from '../../message/task-message.js'
import type { TaskDefinition } from '../../task/definition.js'
import type { Outcome } from '../../task/outcome.js'
import type { TaskRequest } from '../../task/request.js'
import type { ClaimSet } from '../claim/claim-set.js'
import type { CancelReason, Job, JobRun } from '../pool/pool.js'
import { limitsOf, type TaskPolicy } from './policy.js'
import type { SettleItem, SettleStage } from '../settle/settle-item.js'

/** What a run is made from. */
export interface RunParts {
  readonly delivery: Delivery
  readonly claims: ClaimSet
  readonly task: TaskMessage
  readonly request: TaskRequest
  readonly definition: TaskDefinition
  readonly policy: TaskPolicy
}

/** The claim under which a run goes on. */
export type Claim = Pick<RunParts, 'delivery' | 'claims'>

/** Told when the settlement of a run was applied, or will never be. */
export interface RunOwner {
  settled(run: Run, applied: boolean): void
  /** The store refused the settlement for good; another one may be set and added. */
  refused(run: Run, error: Error): void
}

const NOTHING: readonly never[] = []

/**
 * One delivery on its way: claimed, (acknowledged early,) started, ended, settled.
 *
 * It is its own job and its own entry in the settler's batch: a task costs one object.
 */
export class Run implements Job, SettleItem {
  delivery: Delivery
  claims: ClaimSet
  readonly task: TaskMessage
  readonly request: TaskRequest
  readonly definition: TaskDefinition
  readonly policy: TaskPolicy
  readonly softLimitMs: number | undefined
  readonly hardLimitMs: number | undefined
  settlement: Settlement
  /** Whether the message was acknowledged before the run. */
  acked = false
  /** Whether that acknowledgement is under way. */
  acking = false
  declares: QueueSpec | undefined
  stage: SettleStage = 'new'
  /** Its place on the board of claims, while it is there. */
  slot: number | undefined
  /** When the body was started, on the monotonic clock; 0 before. */
  startedMs = 0
  /** How long the body took, in milliseconds. */
  tookMs = 0
  /** The pool's handle, while it runs. */
  job: JobRun | undefined
  outcome: Outcome | undefined
  /** The claim is lost or was given back: whatever still comes is ignored. */
  dropped = false
  /** Why the body was asked to end, if it was: anything but success goes back to the queue. */
  interrupted: Exclude<CancelReason, 'lease-lost'> | undefined
  /** Stored after the settlement: later elements of a chain that failed here. */
  alsoFailed: readonly TaskRecord[] = NOTHING
  /** The claim by which its message came back while its outcome was on its way to the store. */
  successor: Claim | undefined
  /** Replacements of a settlement that the store refused. */
  refusals = 0
  /** Whether a dead letter of it is in its queue, though the settlement was refused. */
  isSetAside = false
  readonly #owner: RunOwner

  constructor(parts: RunParts, owner: RunOwner) {
    this.delivery = parts.delivery
    this.claims = parts.claims
    this.task = parts.task
    this.request = parts.request
    this.definition = parts.definition
    this.policy = parts.policy
    const limits = limitsOf(parts.task, parts.policy)
    this.softLimitMs = limits.softLimitMs
    this.hardLimitMs = limits.hardLimitMs
    this.settlement = { delivery: parts.delivery, publish: NOTHING }
    this.#owner = owner
  }

  /** Go on under another claim of the same message; the one before is over. */
  moveTo({ claims, delivery }: Claim): void {
    this.claims = claims
    this.delivery = delivery
    this.settlement = { ...this.settlement, delivery }
    this.successor = undefined
  }

  settled(applied: boolean): void {
    this.#owner.settled(this, applied)
  }

  refused(error: Error): void {
    this.#owner.refused(this, error)
  }
}
