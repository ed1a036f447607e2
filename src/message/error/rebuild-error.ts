import {
  ChordError,
  MaxRetriesError,
  TaskFailedError,
  TaskNotRegisteredError,
  TaskRevokedError,
  TimeLimitError,
  type RemoteErrorDescription,
} from '../../errors/errors.js'
import { isRecord } from '../../util/record.js'
import { addDetails, nativeError, readDetails } from '../error-details.js'
import type { ErrorRegistry, RegisteredError } from './error-registry.js'
import { pythonRepr } from '../python-repr.js'

/** What rebuilding needs beside the description. */
export interface RebuildContext {
  readonly taskId: string
  /** The traceback of the result document. */
  readonly traceback: string | undefined
  readonly registry: ErrorRegistry
}

type Build = (message: string, args: readonly unknown[], cause: TaskFailedError) => Error

/** Errors of Celery that have a class here, and builtins of both languages, by module and type. */
const KNOWN: ReadonlyMap<string, Build> = new Map<string, Build>([
  ['celery.exceptions.NotRegistered', (_message, args, cause) => notRegistered(args, cause)],
  [
    'celery.exceptions.MaxRetriesExceededError',
    (message, _args, cause) => new MaxRetriesError(message, { cause }),
  ],
  ['celery.exceptions.TaskRevokedError', (message, _args, cause) => new TaskRevokedError(message, { cause })],
  ['celery.exceptions.ChordError', (message, _args, cause) => new ChordError(message, { cause })],
  [
    'billiard.exceptions.SoftTimeLimitExceeded',
    (message, _args, cause) => new TimeLimitError(message, true, { cause }),
  ],
  [
    'billiard.exceptions.TimeLimitExceeded',
    (message, _args, cause) => new TimeLimitError(message, false, { cause }),
  ],
  ['builtins.TypeError', (message, _args, cause) => new TypeError(message, { cause })],
  ['builtins.SyntaxError', (message, _args, cause) => new SyntaxError(message, { cause })],
])

/**
 * The error behind the description in a result.
 *
 * A registered class, an error of Lovage's own or a JavaScript builtin where one means the same, else a
 * {@link TaskFailedError}; that one is the `cause` of the others, so that `remote` can be had, unless the worker told a cause.
 *
 * @param description - What the result document holds: Celery's object, or anything a foreign worker put there.
 * @source Celery 5.6, `celery/backends/base.py`, `exception_to_python`.
 */
export function rebuildError(description: unknown, context: RebuildContext): Error {
  const { code, cause, errors } = rebuiltDetails(description, context)
  const remote = {
    ...remoteOf(description, context.traceback),
    ...(code === undefined ? {} : { code }),
    ...(errors === undefined ? {} : { errors }),
  }
  const message = messageOf(remote)
  const text = remote.args.length === 0 ? remote.type : `${remote.type}: ${message}`
  const failed = new TaskFailedError(
    text,
    context.taskId,
    remote,
    cause === undefined ? undefined : { cause },
  )
  const built = buildRegistered(remote, failed, context.registry) ?? buildKnown(remote, message, failed)
  if (built === undefined) return failed
  addDetails(built, { code, cause, errors })
  return built
}

/** What a worker of Lovage told beside Celery's fields, rebuilt. */
interface RebuiltDetails {
  readonly code: string | number | undefined
  readonly cause: Error | undefined
  readonly errors: readonly Error[] | undefined
}

function rebuiltDetails(description: unknown, context: RebuildContext): RebuiltDetails {
  const { code, cause, errors } = readDetails(description)
  return {
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    cause: cause === undefined ? undefined : rebuildInner(cause, context),
    errors: Array.isArray(errors) ? errors.map((one) => rebuildInner(one, context)) : undefined,
  }
}

/** A cause, or an error of an aggregate: a class that is known here, else JavaScript's own of that name. */
function rebuildInner(description: unknown, context: RebuildContext): Error {
  const remote = remoteOf(description, undefined)
  const message = messageOf(remote)
  const { name } = readDetails(description)
  const details = rebuiltDetails(description, context)
  const made = nativeError(typeof name === 'string' ? name : remote.type, message)
  const built = context.registry.find(remote.type, remote.module)
  const error = built === undefined ? made : (builtOf(built, remote.args) ?? made)
  addDetails(error, details)
  return error
}

function buildRegistered(
  remote: RemoteErrorDescription,
  cause: TaskFailedError,
  registry: ErrorRegistry,
): Error | undefined {
  const entry = registry.find(remote.type, remote.module)
  if (!entry) return undefined
  const built = builtOf(entry, remote.args)
  if (built !== undefined) built.cause ??= cause
  return built
}

function builtOf(entry: RegisteredError, args: readonly unknown[]): Error | undefined {
  try {
    return entry.build(args)
  } catch {
    // The constructor wants other arguments: what is known is still worth more than its complaint.
    return undefined
  }
}

function buildKnown(
  remote: RemoteErrorDescription,
  message: string,
  cause: TaskFailedError,
): Error | undefined {
  return KNOWN.get(`${remote.module ?? ''}.${remote.type}`)?.(message, remote.args, cause)
}

function notRegistered(args: readonly unknown[], cause: TaskFailedError): Error {
  const [name] = args
  const taskName = typeof name === 'string' ? name : pythonRepr(name)
  return new TaskNotRegisteredError(taskName, `the worker knows no task "${taskName}"`, { cause })
}

function remoteOf(description: unknown, traceback: string | undefined): RemoteErrorDescription {
  if (!isRecord(description)) {
    return { type: 'Exception', module: undefined, args: argumentsOf(description), traceback }
  }
  const { exc_type: type, exc_module: module, exc_message: message } = description
  return {
    type: typeof type === 'string' ? type : 'Exception',
    module: typeof module === 'string' ? module : undefined,
    args: argumentsOf(message),
    traceback,
  }
}

function argumentsOf(message: unknown): readonly unknown[] {
  if (Array.isArray(message)) return message
  return message === undefined || message === null ? [] : [message]
}

/** As Python's `str(exception)`: the only argument as it is, several as a tuple; the type when there is none. */
function messageOf({ type, args }: RemoteErrorDescription): string {
  const [first] = args
  if (args.length === 0) return type
  if (args.length === 1) return typeof first === 'string' ? first : pythonRepr(first)
  return `(${args.map((arg) => pythonRepr(arg)).join(', ')})`
}
