import type { DurationInput } from '../util/duration.js'
import type { TaskRequest } from './request.js'
import type { StandardSchema } from './schema.js'

/** A class of errors, as in `instanceof`. */
export type ErrorClass = abstract new (...args: never[]) => unknown

/** Says which errors: a class, the name of an error, or a predicate. */
export type ErrorMatcher = ErrorClass | string | ((error: unknown) => boolean)

/** What the handlers of a task are told. */
export interface HandlerEvent {
  readonly request: TaskRequest
  /** `SUCCESS`, `FAILURE`, `RETRY`. */
  readonly state: string
  /** The return value, after success. */
  readonly value: unknown
  /** The error, after failure or retry. */
  readonly error: unknown
}

/** A function called at a point of a task's life. Its errors are logged and change nothing. */
export type Handler = (event: HandlerEvent) => void | Promise<void>

/** Handlers in the order of a task's life; results are stored before all but the first. */
export interface TaskHandlers {
  /** Before the body; an error here fails the task. */
  readonly beforeStart?: Handler
  /** After SUCCESS was stored. */
  readonly onSuccess?: Handler
  /** After RETRY was stored. */
  readonly onRetry?: Handler
  /** After FAILURE was stored. */
  readonly onFailure?: Handler
  /** After `onSuccess` and `onFailure`; not after a retry. */
  readonly afterReturn?: Handler
}

/** Options of a task; the ones that a call can override are documented there. */
export interface TaskOptions extends TaskHandlers {
  /**
   * The name that travels. Always wins; the same in producer and worker.
   *
   * @defaultValue `<app main>.<function name>`
   */
  readonly name?: string
  /** Parameter names, for keyword arguments; a trailing `?` marks one that may be missing. */
  readonly params?: readonly string[]
  /** Schema of the arguments as an array; checked at the call and again in the worker. */
  readonly args?: StandardSchema
  /** Schema of the return value, checked in the worker. */
  readonly result?: StandardSchema
  /**
   * Check the number of arguments at the call.
   *
   * @defaultValue `true` (`strictTyping`)
   */
  readonly typing?: boolean
  /**
   * Retries before the task fails; `null` or `Infinity` for no limit.
   *
   * @defaultValue 3
   */
  readonly maxRetries?: number | null
  /**
   * Delay of a retry that names none.
   *
   * @defaultValue 180 seconds
   */
  readonly defaultRetryDelay?: DurationInput
  /** Errors that retry the task by themselves. */
  readonly autoretryFor?: readonly ErrorMatcher[]
  /** Exceptions to `autoretryFor`. */
  readonly dontAutoretryFor?: readonly ErrorMatcher[]
  /**
   * Exponential delays for automatic retries: `true` starts at 1 second, a number at that many seconds.
   *
   * @defaultValue `false`
   */
  readonly retryBackoff?: boolean | number
  /**
   * Longest back-off.
   *
   * @defaultValue 600 seconds
   */
  readonly retryBackoffMax?: DurationInput
  /**
   * Take a random delay between 0 and the back-off.
   *
   * @defaultValue `true`
   */
  readonly retryJitter?: boolean
  /** Overrides of automatic retries. */
  readonly retryKwargs?: { readonly maxRetries?: number; readonly countdown?: DurationInput }
  /** Errors that are expected: FAILURE, but logged at info without a stack. */
  readonly throws?: readonly ErrorMatcher[]
  /** Acknowledge after the run (`taskAcksLate`, true). `false` gives at most once. */
  readonly acksLate?: boolean
  /** Acknowledge a failed task (true); `false` makes it a dead letter. */
  readonly acksOnFailure?: boolean
  /** Acknowledge a task that passed its hard limit (true); `false` runs it again. */
  readonly acksOnTimeout?: boolean
  /** Store no result. */
  readonly ignoreResult?: boolean
  /** Store failures although results are ignored. */
  readonly storeErrorsEvenIfIgnored?: boolean
  /** Store STARTED when the task starts. */
  readonly trackStarted?: boolean
  /** Limit that the body can catch: `self.signal` aborts. */
  readonly softTimeLimit?: DurationInput
  /** Limit after which the task is FAILURE whatever the body does. */
  readonly timeLimit?: DurationInput
  /** URL of a result backend of the task's own, in place of the app's; not one that sends results to callers, as `rpc://`. */
  readonly backend?: string
  /** Default queue. */
  readonly queue?: string
  /** Default exchange. */
  readonly exchange?: string
  /** Default routing key. */
  readonly routingKey?: string
  /** Default priority, 0 to 9; larger first. */
  readonly priority?: number
  /** Default expiry. */
  readonly expires?: DurationInput
  /** Default serializer. */
  readonly serializer?: string
  /** Default compressor. */
  readonly compression?: string
  /** Starts per second, minute or hour and worker: `10`, `'10/m'`. Carried; limits act with rate limiting. */
  readonly rateLimit?: number | string
  /** Join every app of the process (`sharedTask`); `false` keeps it to one. */
  readonly shared?: boolean
  /** Replace a task of the same name in place of an error. */
  readonly replace?: boolean
}
