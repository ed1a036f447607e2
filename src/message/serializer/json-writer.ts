import type { CustomTypes } from './custom-types.js'
import { numberText } from './number-text.js'
import { typedForm } from './typed-json.js'
import { kindOf, toEncodeError, TooDeep, Unwritable } from './unwritable.js'

/**
 * Deepest nesting that is written or read.
 *
 * Python's own reader gives up a little below 1,000 levels, so what is deeper would be lost there.
 */
export const MAX_JSON_DEPTH = 800

// Python's ensure_ascii leaves these alone: printable ASCII without the quote and the backslash.
const NEEDS_ESCAPE = /[^ !#-[\]-~]/
const BEYOND_JSON_STRINGIFY = /[\u007f-\uffff]/g

/**
 * Write a value as kombu 5.3 and later do, byte for byte: ASCII, `", "` and `": "`, typed objects for what JSON lacks.
 *
 * `undefined` becomes null, and in an object it is left out, as `JSON.stringify` does.
 *
 * @param roots - Names of the elements of an outer array, for the path in an error.
 * @throws EncodeError for what would not read back the same: functions, symbols, `NaN`, maps, sets, instances of
 * classes without `toJSON`, and circles.
 * @source kombu 5.6, `kombu/utils/json.py`, `dumps`.
 */
export function writeJson(value: unknown, custom?: CustomTypes, roots?: readonly string[]): string {
  try {
    return writeValue(value, 0, custom)
  } catch (error) {
    throw toEncodeError(error, { value, format: 'json', roots })
  }
}

function writeValue(value: unknown, depth: number, custom: CustomTypes | undefined): string {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
      return numberText(value) ?? refuse(`JSON has no ${value}`)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? 'null' : writeObject(value, depth, custom)
    case 'undefined':
      return 'null'
    case 'bigint':
      return String(value)
    default:
      return refuse(`it is ${kindOf(value)}`)
  }
}

function refuse(reason: string): never {
  throw new Unwritable(reason)
}

function quoted(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(BEYOND_JSON_STRINGIFY, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function writeObject(value: object, depth: number, custom: CustomTypes | undefined): string {
  if (depth >= MAX_JSON_DEPTH) throw new TooDeep(`it nests deeper than ${MAX_JSON_DEPTH} levels`)
  if (Array.isArray(value)) return writeArray(value, depth + 1, custom)
  if (!isPlain(value)) return writeInstance(value, depth, custom)
  if (hasMethod(value, 'toJSON')) return writeConverted(value, 'toJSON', depth, custom)
  return writeRecord(value, depth + 1, custom)
}

/** Whether the prototype is the root of its chain, in whatever realm the object was made. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

function writeArray(items: readonly unknown[], depth: number, custom: CustomTypes | undefined): string {
  if (items.length === 0) return '[]'
  let text = '['
  let index = 0
  try {
    // By index, so that a hole is seen and becomes null.
    for (; index < items.length; index += 1) {
      if (index > 0) text += ', '
      text += writeValue(items[index], depth, custom)
    }
  } catch (error) {
    if (error instanceof Unwritable) error.path.push(index)
    throw error
  }
  return `${text}]`
}

function writeRecord(
  record: Record<string, unknown>,
  depth: number,
  custom: CustomTypes | undefined,
): string {
  let text = ''
  let current = ''
  try {
    for (const key of Object.keys(record)) {
      const value = record[key]
      if (value === undefined) continue
      current = key
      if (key === '__type__') refuseLookalike(record)
      text += text === '' ? '{' : ', '
      text += `${quoted(key)}: ${writeValue(value, depth, custom)}`
    }
  } catch (error) {
    if (error instanceof Unwritable) error.path.push(current)
    throw error
  }
  return text === '' ? '{}' : `${text}}`
}

/** Plain data that every reader would take for a typed value. */
function refuseLookalike(record: Record<string, unknown>): void {
  if ('__value__' in record && Object.keys(record).length === 2) {
    refuse('an object of exactly __type__ and __value__ would be read as a typed value')
  }
}

function writeInstance(value: object, depth: number, custom: CustomTypes | undefined): string {
  const type = custom?.match(value)
  if (type) return writeTyped(type.marker, type.encode(value), depth, custom)
  const form = typedForm(value)
  if (form) return writeTyped(form.marker, form.data, depth, custom)
  if (hasMethod(value, 'toJSON')) return writeConverted(value, 'toJSON', depth, custom)
  if (hasMethod(value, '__json__')) return writeConverted(value, '__json__', depth, custom)
  return refuse(`it is ${kindOf(value)}; send plain data, or give the class a toJSON method`)
}

function hasMethod(value: object, name: string): boolean {
  return name in value && typeof Reflect.get(value, name) === 'function'
}

function writeTyped(marker: string, data: unknown, depth: number, custom: CustomTypes | undefined): string {
  return `{"__type__": ${quoted(marker)}, "__value__": ${writeValue(data, depth + 1, custom)}}`
}

function writeConverted(
  value: object,
  method: string,
  depth: number,
  custom: CustomTypes | undefined,
): string {
  return writeValue(converted(value, method), depth + 1, custom)
}

function converted(value: object, method: string): unknown {
  const convert: unknown = Reflect.get(value, method)
  try {
    return typeof convert === 'function' ? Reflect.apply(convert, value, ['']) : undefined
  } catch (error) {
    throw new Unwritable(`its ${method} threw`, { cause: error })
  }
}
