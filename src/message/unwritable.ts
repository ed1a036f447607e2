import { EncodeError } from '../errors/errors.js'

/** A value that a serializer has no form for; collects the way to it while the writer unwinds. */
export class Unwritable extends Error {
  /** Keys and indexes from the value outwards. */
  readonly path: (string | number)[] = []
}

/** The error for users, which names the path of the value. */
export function toEncodeError(
  error: unknown,
  format: string,
  roots: readonly string[] | undefined,
): EncodeError {
  if (!(error instanceof Unwritable)) {
    const text = error instanceof Error ? error.message : String(error)
    return new EncodeError(`cannot write the value as ${format}: ${text}`, { cause: error })
  }
  const where = pathText(error.path.toReversed(), roots)
  const options = error.cause === undefined ? undefined : { cause: error.cause }
  return new EncodeError(`cannot write ${where} as ${format}: ${error.message}`, options)
}

/** What a value is called in an error: `a Map`, `a function`, `an instance of Socket`. */
export function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  const constructor: unknown = Reflect.get(value, 'constructor')
  return `an instance of ${typeof constructor === 'function' ? constructor.name : 'an unknown class'}`
}

const LONGEST_PATH = 20

function pathText(path: readonly (string | number)[], roots: readonly string[] | undefined): string {
  const [first, ...rest] = path
  const root = typeof first === 'number' ? roots?.[first] : undefined
  const steps = root === undefined ? path : rest
  const shown = steps.slice(0, LONGEST_PATH).map(stepText).join('')
  return `${root ?? 'value'}${shown}${steps.length > LONGEST_PATH ? '…' : ''}`
}

function stepText(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  return /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
}
