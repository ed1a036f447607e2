import { EncodeError } from '../../errors/errors.js'

/** A value that a serializer has no form for; collects the way to it while the writer unwinds. */
export class Unwritable extends Error {
  /** Keys and indexes from the value outwards. */
  readonly path: (string | number)[] = []
}

/** Deeper than any format is written, most likely because it contains itself. */
export class TooDeep extends Unwritable {}

/** A value that was to be written. */
export interface Written {
  readonly value: unknown
  /** Name of the format. */
  readonly format: string
  /** Names of the elements of an outer array. */
  readonly roots: readonly string[] | undefined
}

/** The error for users, which names the path of what cannot be written. */
export function toEncodeError(error: unknown, { value, format, roots }: Written): EncodeError {
  const circle = error instanceof TooDeep ? findCircle(value, error.path.length) : undefined
  if (circle !== undefined) {
    return new EncodeError(`cannot write the value as ${format}: ${pathText(circle, roots)} is circular`)
  }
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

/** Objects looked at before the search is given up: it is for a message, not worth seconds. */
const MOST_STEPS = 100_000

interface Search {
  stepsLeft: number
  /** The objects from the root to the one looked at. */
  readonly ancestors: object[]
  readonly path: (string | number)[]
}

/** Keys and indexes of the shortest way to an object that contains itself; `undefined` when none is found. */
function findCircle(root: unknown, maxDepth: number): readonly (string | number)[] | undefined {
  const search: Search = { stepsLeft: MOST_STEPS, ancestors: [], path: [] }
  // Deeper and deeper, so that the first way found is a shortest one.
  for (let depth = 1; depth <= maxDepth && search.stepsLeft > 0; depth += 1) {
    if (closes(root, depth, search)) return search.path
  }
  return undefined
}

/** Whether a way of at most `depth` steps leads from here to an object it came through; it is then in `path`. */
function closes(value: unknown, depth: number, search: Search): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { ancestors, path } = search
  if (ancestors.includes(value)) return true
  search.stepsLeft -= 1
  if (depth === 0 || search.stepsLeft <= 0) return false
  ancestors.push(value)
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    path.push(key)
    if (closes(Reflect.get(value, key), depth - 1, search)) return true
    path.pop()
  }
  ancestors.pop()
  return false
}
