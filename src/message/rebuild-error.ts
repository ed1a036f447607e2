import {
  ChordError,
  MaxRetriesError,
  TaskFailedError,
  TaskNotRegisteredError,
  TaskRevokedError,
  TimeLimitError,
  type RemoteErrorDescription,
} from '../errors/errors.js'
import { isRecord } from '../util/record.js'
import type { ErrorRegistry } from './error-registry.js'
import { pythonRepr } from './python-repr.js'

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
 * {@link TaskFailedError}; that one is the `cause` of the others, so that `remote` can always be had.
 *
 * @param description - What the result document holds: Celery's object, or anything a foreign worker put there.
 * @source Celery 5.6, `celery/backends/base.py`, `exception_to_python`.
 */
export function rebuildError(description: unknown, context: RebuildContext): Error {
  const remote = remoteOf(description, context.traceback)
  const message = messageOf(remote)
  const text = remote.args.length === 0 ? remote.type : `${remote.type}: ${message}`
  const failed = new TaskFailedError(text, context.taskId, remote)
  return buildRegistered(remote, failed, context.registry) ?? buildKnown(remote, message, failed) ?? failed
}

function buildRegistered(
  remote: RemoteErrorDescription,
  cause: TaskFailedError,
  registry: ErrorRegistry,
): Error | undefined {
  const entry = registry.find(remote.type, remote.module)
  if (!entry) return undefined
  try {
    const built = entry.build(remote.args)
    built.cause ??= cause
    return built
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
