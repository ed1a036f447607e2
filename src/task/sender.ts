import type { Outgoing, QueueSpec } from '../broker/contract.js'
import type { Embed, OutgoingTask, TaskMessage } from '../message/task-message.js'
import type { RetryPolicyInput } from '../config/retry-policy.js'
import type { CallOptions } from './call-options.js'
import type { GrantedRetry } from './outcome.js'
import type { Around } from '../util/around.js'
import type { TaskRequest } from './request.js'

/** One call before it is routed and encoded. */
export interface TaskCall {
  /** The registered name. */
  readonly name: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly options: CallOptions
  /** What runs after the task, beyond `link` and `linkError`: the rest of a chain, a chord. */
  readonly embed?: Partial<Embed>
  /** The application's transaction that the message is to be part of. */
  readonly transaction?: object
}

/** A message, and where it has to be able to go. */
export interface Sendable {
  readonly outgoing: Outgoing
  /** Declared before the message is published. */
  readonly queue?: QueueSpec
}

/** A call that is ready to be published. */
export interface PreparedCall extends Sendable {
  readonly taskId: string
  readonly task: OutgoingTask
  /** How the call or its route wants to be tried again, where they say so. */
  readonly publishing?: PublishOptions
}

/** How long and how often to try a publish. */
export interface PublishOptions {
  readonly retry?: boolean
  readonly retryPolicy?: RetryPolicyInput
}

/** Turns calls into messages and messages into confirmed publishes. Implemented by the app. */
export interface Sender {
  /**
   * {@link prepare} the call and publish it with confirmation; connects and declares the queue first. Concurrent calls travel in one
   * batch. What the app puts around publishing runs around it.
   *
   * @param innermost - Stands inside of all of that, next to the publish itself.
   * @throws `UnsupportedError` for a call within a transaction where the broker is no SQL database.
   */
  send(call: TaskCall, innermost?: Around<PreparedCall, void>): Promise<PreparedCall>
  /**
   * Validate, route and encode. Opens a connection only to count a length of time (`countdown`, `expires`) on the broker's clock.
   *
   * @throws `TaskArgumentsError`, `EncodeError`, `QueueNotFoundError`, `UnsupportedError`, before anything is sent.
   */
  prepare(call: TaskCall): Promise<PreparedCall>
  /** The message of the next try of a running task: same id, `retries` + 1, the same queue. */
  prepareRetry(message: TaskMessage, request: TaskRequest, retry: GrantedRetry): Promise<PreparedCall>
  /** The message as the broker can take it, for whoever publishes it together with something else. Declares its queue. */
  ready(sendable: Sendable): Promise<Outgoing>
}
