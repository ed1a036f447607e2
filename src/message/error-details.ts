import { isRecord } from '../util/record.js'
import { LovageError } from '../errors/errors.js'

/** An error as a result document holds it. */
export interface ErrorDescription {
  readonly exc_type: string
  /** The arguments that Python's class is built with. */
  readonly exc_message: readonly unknown[]
  readonly exc_module: string
  /** Ours, beside Celery's. */
  readonly lovage?: ErrorDetails
}

/** What an error of JavaScript has beside Celery's three fields; Python's reader passes over it. */
export interface ErrorDetails {
  /** The class where it is one of JavaScript's own, whose name Python spells otherwise. */
  readonly name?: string
  /** `code`, as Node's own errors have it. */
  readonly code?: string | number
  readonly cause?: ErrorDescription
  /** Of an `AggregateError`. */
  readonly errors?: readonly ErrorDescription[]
}

/** Causes of causes that are kept. */
const MOST_LEVELS = 5
/** Errors of an aggregate that are kept. */
const MOST_ERRORS = 20

type Native = new (message: string) => Error

const NATIVE: ReadonlyMap<string, Native> = new Map<string, Native>(
  [Error, TypeError, RangeError, SyntaxError, URIError, ReferenceError, EvalError].map((one) => [
    one.name,
    one,
  ]),
)

/**
 * The details of an error; `undefined` where it has none.
 *
 * @param describe - Describes an error further down, with its own details at that level.
 */
export function detailsOf(
  error: Error,
  level: number,
  describe: (error: unknown, level: number) => ErrorDescription,
): ErrorDetails | undefined {
  if (level >= MOST_LEVELS) return undefined
  const { cause } = error
  const code: unknown = Reflect.get(error, 'code')
  const errors: unknown = Reflect.get(error, 'errors')
  // A class of ours has one code, which comes with the class.
  const hasCode = (typeof code === 'string' || typeof code === 'number') && !(error instanceof LovageError)
  const isAggregate = error instanceof AggregateError && Array.isArray(errors)
  const below = level + 1
  const details = {
    ...(NATIVE.has(error.name) && level > 0 ? { name: error.name } : {}),
    ...(hasCode ? { code } : {}),
    ...(cause === undefined || cause === null ? {} : { cause: describe(cause, below) }),
    ...(isAggregate ? { errors: errors.slice(0, MOST_ERRORS).map((one) => describe(one, below)) } : {}),
  }
  return Object.keys(details).length === 0 ? undefined : details
}

/** The details as a result holds them; empty for what another program wrote. */
export function readDetails(description: unknown): Readonly<Record<keyof ErrorDetails, unknown>> {
  const details = isRecord(description) && isRecord(description['lovage']) ? description['lovage'] : {}
  const { name, code, cause, errors } = details
  return { name, code, cause, errors }
}

const Plain: Native = Error

/** An error of JavaScript's own class by that name; a plain one under its name for every other. */
export function nativeError(name: string, message: string): Error {
  const Native = NATIVE.get(name)
  if (Native !== undefined) return new Native(message)
  return Object.assign(new Plain(message), { name })
}

/** Give an error what its details say, unless it has it already. */
export function addDetails(
  error: Error,
  details: Partial<Record<'code' | 'cause' | 'errors', unknown>>,
): void {
  for (const [key, value] of Object.entries(details)) {
    if (value === undefined || (key === 'code' && 'code' in error)) continue
    Object.defineProperty(error, key, {
      value,
      configurable: true,
      writable: true,
      enumerable: key === 'code',
    })
  }
}
