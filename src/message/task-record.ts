import type { EncodedValue } from './result-codec.js'

/** The fields of extended results, under our names; Celery's are `name`, `args`, `kwargs`, `worker`, `retries`, `queue`. */
export interface ExtendedRecord {
  readonly name?: string
  readonly args?: unknown
  readonly kwargs?: unknown
  readonly worker?: string
  readonly retries?: number
  /** The message's routing key. */
  readonly queue?: string
  readonly stampedHeaders?: readonly string[]
  readonly stamps?: Readonly<Record<string, unknown>>
}

/** One task's outcome. The fields are those of Celery's result document. */
export interface TaskRecord {
  readonly taskId: string
  /** `PENDING`, `STARTED`, `RETRY`, `SUCCESS`, `FAILURE`, `REVOKED`, or a state of the user's own. */
  readonly state: string
  /** The return value, the state's metadata, or Celery's description of an exception. */
  readonly result: unknown
  /** `result` as the result serializer wrote it, when the core has encoded it already. */
  readonly encoded?: EncodedValue
  readonly traceback?: string
  /** Celery's result tuples. */
  readonly children: readonly unknown[]
  /** Completion time, in epoch milliseconds; set in final states only. */
  readonly doneAtMs?: number
  readonly groupId?: string
  readonly parentId?: string
  /** Name, args, worker, retries and the like, when extended results are on. */
  readonly extended?: ExtendedRecord
  /** Where the caller listens for results, as its message said; only backends that send results look at it. */
  readonly replyTo?: string
  /** URL of the backend that the task names as its own; what stores records for several backends goes by it. */
  readonly ownBackend?: string
}

/** How a broker of the same store writes results in the step that settles a delivery. */
export interface OneStepResults {
  /** Names the store; a broker whose `capabilities.storeId` is the same settles in one step with it. */
  readonly storeId: string
  /** What the store's own broker writes records by; opaque to everyone else. */
  readonly writer: object
}
