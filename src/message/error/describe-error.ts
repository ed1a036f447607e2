import {
  ChordError,
  LovageError,
  MaxRetriesError,
  TaskArgumentsError,
  TaskFailedError,
  TaskNotRegisteredError,
  TaskRevokedError,
  TimeLimitError,
} from '../../errors/errors.js'
import { isError } from '../../util/is-error.js'
import { detailsOf, type ErrorDescription } from '../error-details.js'
import type { ErrorRegistry } from './error-registry.js'
import { writeJson } from '../serializer/json-writer.js'
import { pythonRepr } from '../python-repr.js'

const OWN_MODULE = 'lovage.errors'

/** JavaScript's own errors by name, and the Python builtin that means the same. */
const BUILTINS: ReadonlyMap<string, string> = new Map([
  ['TypeError', 'TypeError'],
  ['RangeError', 'ValueError'],
  ['SyntaxError', 'SyntaxError'],
  ['URIError', 'ValueError'],
  ['ReferenceError', 'NameError'],
  ['EvalError', 'RuntimeError'],
])

/**
 * Describe whatever a task threw, in the form that Celery stores.
 *
 * Arguments that JSON cannot hold are replaced by their printed form, one by one.
 *
 * @param canWrite - Whether the result serializer can write an argument; asks JSON when left out.
 * @source Celery 5.6, `celery/backends/base.py`, `prepare_exception`.
 */
export function describeError(
  error: unknown,
  registry: ErrorRegistry,
  canWrite: (value: unknown) => boolean = isJson,
): ErrorDescription {
  const describeAt = (value: unknown, level: number): ErrorDescription => {
    const description = describe(value, registry)
    const details = isError(value) ? detailsOf(value, level, describeAt) : undefined
    return {
      ...description,
      exc_message: description.exc_message.map((arg) => (canWrite(arg) ? arg : pythonRepr(arg))),
      ...(details === undefined ? {} : { lovage: details }),
    }
  }
  return describeAt(error, 0)
}

function isJson(value: unknown): boolean {
  try {
    writeJson(value)
    return true
  } catch {
    return false
  }
}

function describe(error: unknown, registry: ErrorRegistry): ErrorDescription {
  if (!isError(error)) return described(OWN_MODULE, 'Error', [error])
  const registered = registry.match(error)
  if (registered) return described(registered.entry.excModule, registered.entry.excType, registered.args)
  if (error instanceof LovageError) return describeOwn(error)
  const builtin = Object.hasOwn(error, 'name') ? undefined : BUILTINS.get(error.constructor.name)
  if (builtin) return described('builtins', builtin, [error.message])
  return described(OWN_MODULE, nameOf(error), [error.message])
}

function describeOwn(error: LovageError): ErrorDescription {
  if (error instanceof TaskArgumentsError) return described('builtins', 'TypeError', [error.message])
  if (error instanceof TaskNotRegisteredError)
    return described('celery.exceptions', 'NotRegistered', [error.taskName])
  if (error instanceof MaxRetriesError) {
    return described('celery.exceptions', 'MaxRetriesExceededError', [error.message])
  }
  if (error instanceof TaskRevokedError)
    return described('celery.exceptions', 'TaskRevokedError', [error.message])
  if (error instanceof ChordError) return described('celery.exceptions', 'ChordError', [error.message])
  if (error instanceof TimeLimitError) {
    const type = error.soft ? 'SoftTimeLimitExceeded' : 'TimeLimitExceeded'
    return described('billiard.exceptions', type, [error.message])
  }
  if (error instanceof TaskFailedError) {
    // A result that is passed on keeps the name it came with.
    return described(error.remote.module ?? OWN_MODULE, error.remote.type, error.remote.args)
  }
  return described(OWN_MODULE, error.name, [error.message])
}

function described(module: string, type: string, args: readonly unknown[]): ErrorDescription {
  return { exc_type: type, exc_message: args, exc_module: module }
}

/** A name set on the error wins, else the class's, because most subclasses leave `name` at `Error`. */
export function nameOf(error: Error): string {
  const own: unknown = error.name
  const name: unknown = own === 'Error' ? error.constructor.name : own
  return typeof name === 'string' && name !== '' ? name : 'Error'
}
