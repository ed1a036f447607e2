/**
 * How a task steers its own message: thrown by a body, never an error.
 *
 * A directive does not extend `Error`, so that a `catch (error)` that looks for errors lets it pass, and it has
 * no stack to pay for.
 */
export abstract class Directive {}

/** What a {@link Retry} asks for. Times are milliseconds. */
export interface RetryRequest {
  /** Positional arguments of the next try; the current ones when undefined. */
  readonly args?: readonly unknown[]
  /** Keyword arguments of the next try; the current ones when undefined. */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Delay before the next try. The task's `defaultRetryDelay` when neither this nor `etaMs` is given. */
  readonly countdownMs?: number
  /** Moment of the next try, in epoch milliseconds. */
  readonly etaMs?: number
  /** Limit for this call; the task's own when undefined, no limit when `Infinity`. */
  readonly maxRetries?: number
  /** Queue of the next try; the one the message came by when undefined. */
  readonly queue?: string
  /** Priority of the next try; the current one when undefined. */
  readonly priority?: number
  /** What made the task retry; stored as the result of the RETRY state. */
  readonly cause?: unknown
}

/** Run the task again later under the same id. */
export class Retry extends Directive {
  /** What was asked for. */
  readonly request: RetryRequest

  constructor(request: RetryRequest = {}) {
    super()
    this.request = request
  }
}

/** Acknowledge the message and store nothing. */
export class Ignore extends Directive {
  /** Written to the log. */
  readonly reason: string | undefined

  constructor(reason?: string) {
    super()
    this.reason = reason
  }
}

/**
 * Refuse the message.
 *
 * With `requeue` it is delivered again; without, it becomes a dead letter and a FAILURE of type `Reject` is stored.
 *
 * @source Celery 5.7, `celery/exceptions.py`, `Reject`.
 */
export class Reject extends Directive {
  /** Written to the log, the dead letter and the result. */
  readonly reason: string | undefined
  /** Whether the message goes back to its queue. */
  readonly requeue: boolean

  constructor(reason?: string, requeue = false) {
    super()
    this.reason = reason
    this.requeue = requeue
  }
}
