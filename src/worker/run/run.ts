import type { TaskRecord } from '../../backend/contract.js'
import type { TaskMessage } from '../../message/task-message.js'
import type { TaskDefinition } from '../../task/definition.js'
import type { Outcome } from '../../task/outcome.js'
import type { TaskRequest } from '../../task/request.js'
import type { CancelReason, Job, JobRun } from '../pool/pool.js'
import { ClaimedDelivery, type DeliveryOwner, type DeliveryState } from './delivery.js'
import { limitsOf, type TaskPolicy } from './policy.js'

/** The claim under which a run goes on. */
export type Claim = Pick<ClaimedDelivery, 'delivery' | 'claims'>

/** What a run is made from. */
export interface RunParts extends Claim {
  readonly task: TaskMessage
  readonly request: TaskRequest
  readonly definition: TaskDefinition
  readonly policy: TaskPolicy
}

const NOTHING: readonly never[] = []

/** States in which a run may go on under another claim. */
const MOVABLE: ReadonlySet<DeliveryState> = new Set([
  'buffered',
  'running',
  'interrupted',
  'deciding',
  'settling',
  'unclaimed',
])

/** A delivery whose task runs here. It is its own job: a task costs one object. */
export class Run extends ClaimedDelivery implements Job {
  readonly task: TaskMessage
  readonly request: TaskRequest
  readonly definition: TaskDefinition
  readonly policy: TaskPolicy
  readonly softLimitMs: number | undefined
  readonly hardLimitMs: number | undefined
  /** Its place on the board of claims, while it is there. */
  slot: number | undefined
  /** When the body was started, on the monotonic clock; 0 before. */
  startedMs = 0
  /** How long the body took, in milliseconds. */
  tookMs = 0
  /** The pool's handle, while it runs. */
  job: JobRun | undefined
  /** Why the body was asked to end, while it is `interrupted`. */
  interruption: Exclude<CancelReason, 'lease-lost'> | undefined
  /** What is being settled. */
  outcome: Outcome | undefined
  /** Stored after the settlement: later elements of a chain that failed here. */
  alsoFailed: readonly TaskRecord[] = NOTHING
  /** The claim by which its message came back while its outcome was on its way to the store. */
  successor: Claim | undefined

  constructor(parts: RunParts, owner: DeliveryOwner) {
    super(parts, 'buffered', owner, !parts.policy.acksLate)
    this.task = parts.task
    this.request = parts.request
    this.definition = parts.definition
    this.policy = parts.policy
    const limits = limitsOf(parts.task, parts.policy)
    this.softLimitMs = limits.softLimitMs
    this.hardLimitMs = limits.hardLimitMs
  }

  /** Whether its body runs, and what it returns counts. */
  get isRunning(): boolean {
    return this.state === 'running' || this.state === 'interrupted'
  }

  /** Whether a claim that replaces its own can take over. */
  get canMove(): boolean {
    return MOVABLE.has(this.state) && !this.acked
  }

  /** Go on under another claim of the same message; the one before is over. */
  moveTo({ claims, delivery }: Claim): void {
    this.claims = claims
    this.delivery = delivery
    this.settlement = { ...this.settlement, delivery }
    this.successor = undefined
  }
}
