import type { ErrorCode } from './codes.js'

/** What every Lovage error carries beside its message. */
export interface ErrorOptionsWithCause {
  /** The error this one was made from; never edited. */
  readonly cause?: unknown
}

/**
 * Base of every error that Lovage throws.
 *
 * Branch on the class or on `code`, never on the text of the message.
 */
export class LovageError extends Error {
  /** Documented in `docs/reference/errors.md`. */
  readonly code: ErrorCode = 'LOVAGE_TASK'
  /** Whether the same call may succeed later without a change. */
  readonly retryable: boolean = false

  constructor(message: string, options?: ErrorOptionsWithCause) {
    super(message, options)
    this.name = new.target.name
  }
}

/** An option or setting is unknown, missing, of the wrong type, or out of range. */
export class ConfigError extends LovageError {
  override readonly code: ErrorCode = 'LOVAGE_CONFIG'
}

/** The optional package that a URL scheme needs is not installed. */
export class DriverMissingError extends ConfigError {
  override readonly code = 'LOVAGE_DRIVER_MISSING'
  /** The package to install. */
  readonly packageName: string

  constructor(scheme: string, packageName: string, options?: ErrorOptionsWithCause) {
    super(`"${scheme}://" needs the package "${packageName}"; run: npm install ${packageName}`, options)
    this.packageName = packageName
  }
}

/** The broker refused an operation. */
export class BrokerError extends LovageError {
  override readonly code: ErrorCode = 'LOVAGE_BROKER'
}

/** The broker cannot be reached, or the connection was lost. Celery's name for it is `OperationalError`. */
export class BrokerConnectionError extends BrokerError {
  override readonly code = 'LOVAGE_BROKER_CONNECTION'
  override readonly retryable = true
}

/** A file that queues or schedules are in is damaged, or is no database: somebody has to look at it. */
export class StoreDamagedError extends BrokerError {
  override readonly code = 'LOVAGE_STORE_DAMAGED'
  /** Absolute path. */
  readonly file: string

  constructor(file: string, message: string, options?: ErrorOptionsWithCause) {
    super(message, options)
    this.file = file
  }
}

/** The broker did not confirm every message of a publish. Retryable when its cause is. */
export class PublishError extends BrokerError {
  override readonly code = 'LOVAGE_PUBLISH'
  override readonly retryable: boolean
  /** Positions in the batch that are not confirmed. */
  readonly indexes: readonly number[]
  /**
   * Whether the broker certainly has none of these: their turn had not come when the time was up. Otherwise they may be sent
   * all the same, unless the message says why they were refused.
   */
  readonly notSent: boolean

  constructor(
    message: string,
    indexes: readonly number[],
    options?: ErrorOptionsWithCause & { readonly notSent?: boolean },
  ) {
    super(message, options)
    this.indexes = indexes
    this.notSent = options?.notSent ?? false
    this.retryable = options?.cause instanceof LovageError && options.cause.retryable
  }
}

/** A message is larger than its queue takes; nothing of it was sent. The cause of a {@link PublishError}. */
export class MessageTooLargeError extends BrokerError {
  override readonly code = 'LOVAGE_MESSAGE_TOO_LARGE'
  /** As it would travel, in bytes. */
  readonly sizeBytes: number
  /** What the queue takes, in bytes. */
  readonly limitBytes: number

  constructor(queue: string, sizeBytes: number, limitBytes: number) {
    super(
      `queue "${queue}" takes messages of ${String(limitBytes)} bytes, and this one has ${String(sizeBytes)}`,
    )
    this.sizeBytes = sizeBytes
    this.limitBytes = limitBytes
  }
}

/** A queue was named that is not declared, and creating missing queues is off. */
export class QueueNotFoundError extends BrokerError {
  override readonly code = 'LOVAGE_QUEUE_NOT_FOUND'
  /** The queue that is missing. */
  readonly queue: string

  constructor(queue: string, message: string, options?: ErrorOptionsWithCause) {
    super(message, options)
    this.queue = queue
  }
}

/** The broker or backend lacks the capability that was asked for; raised before the first message. */
export class UnsupportedError extends BrokerError {
  override readonly code = 'LOVAGE_UNSUPPORTED'
}

/** The claim on a message ran out, and the message belongs to another worker by now. */
export class LeaseLostError extends BrokerError {
  override readonly code = 'LOVAGE_LEASE_LOST'
}

/** The result backend refused an operation. */
export class BackendError extends LovageError {
  override readonly code: ErrorCode = 'LOVAGE_BACKEND'
}

/** The result backend cannot be reached, or the connection was lost. */
export class BackendConnectionError extends BackendError {
  override readonly code = 'LOVAGE_BACKEND_CONNECTION'
  override readonly retryable = true
}

/** `get` waited longer than its timeout. The task goes on, and a later `get` can succeed. */
export class TimeoutError extends BackendError {
  override readonly code = 'LOVAGE_TIMEOUT'
  override readonly retryable = true
}

/** A message does not have the form that the protocol asks for. */
export class MessageError extends LovageError {
  override readonly code: ErrorCode = 'LOVAGE_MESSAGE'
}

/** The bytes of a message or result cannot be decoded. */
export class DecodeError extends MessageError {
  override readonly code = 'LOVAGE_DECODE'
}

/** A value cannot be written in the chosen serializer; the message names the path, as `args[1].socket`. */
export class EncodeError extends MessageError {
  override readonly code = 'LOVAGE_ENCODE'
}

/** The content type of a message is not in `acceptContent`, or is one that is never accepted (pickle). */
export class ContentDisallowedError extends MessageError {
  override readonly code = 'LOVAGE_CONTENT_DISALLOWED'
}

/** A task could not be defined, called or run. */
export class TaskError extends LovageError {
  override readonly code: ErrorCode = 'LOVAGE_TASK'
}

/** No task of that name is registered in this process. Written into results as Celery's `NotRegistered`. */
export class TaskNotRegisteredError extends TaskError {
  override readonly code = 'LOVAGE_TASK_NOT_REGISTERED'
  /** The name that was asked for. */
  readonly taskName: string

  constructor(taskName: string, message: string, options?: ErrorOptionsWithCause) {
    super(message, options)
    this.taskName = taskName
  }
}

/** The arguments do not fit the task. Written into results as `builtins.TypeError`. */
export class TaskArgumentsError extends TaskError {
  override readonly code = 'LOVAGE_TASK_ARGUMENTS'
  /** What a schema library found, one entry for each problem; empty when the arity is wrong. */
  readonly issues: readonly unknown[]

  constructor(message: string, issues: readonly unknown[] = [], options?: ErrorOptionsWithCause) {
    super(message, options)
    this.issues = issues
  }
}

/** How an error of a worker is described in a result: Celery's `exc_type`, `exc_module`, `exc_message`. */
export interface RemoteErrorDescription {
  /** The class's name, dotted when nested. */
  readonly type: string
  /** The module the class lives in; `builtins` for Python's own. */
  readonly module: string | undefined
  /** The arguments the error was constructed with. */
  readonly args: readonly unknown[]
  /** The stack of the worker, as text. */
  readonly traceback: string | undefined
  /** `code` of the error, where a worker of Lovage told one. */
  readonly code?: string | number
  /** What an `AggregateError` of a worker of Lovage held. */
  readonly errors?: readonly Error[]
}

/** The task raised an error in its worker. */
export class TaskFailedError extends TaskError {
  override readonly code: ErrorCode = 'LOVAGE_TASK_FAILED'
  /** The task that failed. */
  readonly taskId: string
  /** The remote error. */
  readonly remote: RemoteErrorDescription

  constructor(
    message: string,
    taskId: string,
    remote: RemoteErrorDescription,
    options?: ErrorOptionsWithCause,
  ) {
    super(message, options)
    this.taskId = taskId
    this.remote = remote
  }
}

/** The task was revoked, or expired before it could run. */
export class TaskRevokedError extends TaskError {
  override readonly code = 'LOVAGE_TASK_REVOKED'
}

/** The task ran longer than its time limit. `soft` tells the catchable limit from the hard one. */
export class TimeLimitError extends TaskError {
  override readonly code = 'LOVAGE_TIME_LIMIT'
  /** Whether the soft limit was passed; the hard one otherwise. */
  readonly soft: boolean

  constructor(message: string, soft: boolean, options?: ErrorOptionsWithCause) {
    super(message, options)
    this.soft = soft
  }
}

/** Reason of a task's signal when its worker shuts down and the time to finish is over. The task runs again elsewhere. */
export class WorkerShutdownError extends TaskError {
  override readonly code = 'LOVAGE_WORKER_SHUTDOWN'
  override readonly retryable = true
}

/** The task used up its retries. Written into results as Celery's `MaxRetriesExceededError`. */
export class MaxRetriesError extends TaskError {
  override readonly code = 'LOVAGE_MAX_RETRIES'
}

/** A task of a chord's header failed. */
export class ChordError extends TaskError {
  override readonly code = 'LOVAGE_CHORD'
}
