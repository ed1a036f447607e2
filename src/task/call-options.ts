import type { RetryPolicyInput } from '../config/retry-policy.js'
import type { WireSignature } from '../message/task-message.js'
import type { DurationInput } from '../util/duration.js'

/** Anything that can be linked: a signature object or its plain form. */
export interface SignatureLike {
  toJSON(): WireSignature
}

/** Callbacks as a caller gives them: one or a list. */
export type Link = SignatureLike | WireSignature | readonly (SignatureLike | WireSignature)[]

/**
 * Options of one call.
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task.apply_async`.
 */
export interface CallOptions {
  /** Run not before this long from now. Not together with `eta`. */
  readonly countdown?: DurationInput
  /** Run not before this moment. */
  readonly eta?: Date
  /** Do not start after this moment, or this long from now: REVOKED. */
  readonly expires?: DurationInput | Date
  /** Own task id; a random UUID otherwise. */
  readonly taskId?: string
  readonly queue?: string
  readonly exchange?: string
  readonly routingKey?: string
  /** 0 to 9; larger first on Lovage's own stores. */
  readonly priority?: number
  /** Headers of the caller's own; the task reads them in `request.headers`. */
  readonly headers?: Readonly<Record<string, unknown>>
  /** Called with the return value on success. */
  readonly link?: Link
  /** Called with the id of the failed task. */
  readonly linkError?: Link
  /** `json`, `yaml`, `msgpack` or a registered name. */
  readonly serializer?: string
  /** `gzip`, `zlib`, `brotli`, `zstd` or a registered name. */
  readonly compression?: string
  /** Try a failed publish again; `false` fails at once. */
  readonly retry?: boolean
  /** How a failed publish is tried again. */
  readonly retryPolicy?: RetryPolicyInput
  /** Store no result for this call; `false` stores one although the task says otherwise. */
  readonly ignoreResult?: boolean
  readonly timeLimit?: DurationInput
  readonly softTimeLimit?: DurationInput
  /** Name shown in logs and events. */
  readonly shadow?: string
  /** Shown in place of the arguments, to hide secrets. */
  readonly argsRepr?: string
  /** Shown in place of the keyword arguments. */
  readonly kwargsRepr?: string
  readonly replyTo?: string
  /** `false` for a message that need not survive a broker restart. */
  readonly persistent?: boolean
  /** Message properties of a broker's own, under their wire names. */
  readonly properties?: Readonly<Record<string, unknown>>
  /** Ids of the workflow; filled from the running task when not given. */
  readonly rootId?: string
  readonly parentId?: string
  /** Record the call as a child of the running task. Default true. */
  readonly addToParent?: boolean
  readonly groupId?: string
  readonly groupIndex?: number
  /** Stamps: names and values that the task and everything it calls can be found by. */
  readonly stamps?: Readonly<Record<string, unknown>>
  /** `'eta'` sends at once with an `eta`, Celery's way; `'store'` keeps the message in the store until it is due. */
  readonly delay?: 'store' | 'eta'
}
