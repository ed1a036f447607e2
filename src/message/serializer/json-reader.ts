import { DecodeError } from '../../errors/errors.js'
import type { CustomTypes } from './custom-types.js'
import { parseTolerantJson } from './json-parser.js'
import { MAX_JSON_DEPTH } from './json-writer.js'
import { readTyped } from './typed-json.js'

const LONG_DIGITS = /\d{16}/
const QUOTE = 34
const BACKSLASH = 92

/**
 * Read JSON as kombu writes it: typed objects become values, integers beyond 2^53 BigInt, `NaN` and infinities numbers.
 *
 * A key `__proto__` is dropped. Text without any of these is read by `JSON.parse` alone.
 *
 * @throws DecodeError when the text is not JSON, nests deeper than {@link MAX_JSON_DEPTH} or names an unknown type.
 * @source kombu 5.6, `kombu/utils/json.py`, `loads` and `object_hook`.
 */
export function readJson(text: string, custom?: CustomTypes): unknown {
  if (isTooDeep(text)) {
    throw new DecodeError(`the data nest deeper than ${MAX_JSON_DEPTH} levels`)
  }
  const value = parse(text)
  // An escaped underscore can hide the marker from the search.
  return text.includes('__') || text.includes('\\u005') ? revived(value, custom) : value
}

function parse(text: string): unknown {
  if (LONG_DIGITS.test(text)) return parseTolerantJson(text)
  try {
    return JSON.parse(text)
  } catch {
    return parseTolerantJson(text)
  }
}

/** Whether JSON text nests deeper than {@link MAX_JSON_DEPTH}: what is deeper cannot be written again. */
export function isTooDeep(text: string): boolean {
  if (text.length <= 2 * MAX_JSON_DEPTH) return false
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    // Brackets and braces differ only in one bit: 5B 5D, 7B 7D.
    if ((code & 0xdf) === 0x5b) depth += 1
    else if ((code & 0xdf) === 0x5d) depth -= 1
    else if (code === QUOTE) at = endOfString(text, at)
    if (depth > MAX_JSON_DEPTH) return true
  }
  return false
}

/** The search is the engine's own: a body may be long. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return at
  }
  return text.length
}

/** Replace typed objects from the inside out, in place: the tree was just parsed and nobody else holds it. */
function revived(value: unknown, custom: CustomTypes | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (typeof item === 'object') value[index] = revived(item, custom)
    })
    return value
  }
  return revivedRecord(value, custom)
}

function revivedRecord(record: object, custom: CustomTypes | undefined): unknown {
  const keys = Object.keys(record)
  for (const key of keys) {
    const item: unknown = Reflect.get(record, key)
    if (key === '__proto__') Reflect.deleteProperty(record, key)
    else if (typeof item === 'object') Reflect.set(record, key, revived(item, custom))
  }
  if (keys.length !== 2 || !('__type__' in record) || !('__value__' in record)) return record
  return typedValue(record.__type__, record.__value__, custom)
}

function typedValue(marker: unknown, data: unknown, custom: CustomTypes | undefined): unknown {
  const name = typeof marker === 'string' ? marker : typeof marker
  const value = readTyped(name, data) ?? readCustom(name, data, custom)
  if (value === undefined) {
    throw new DecodeError(
      `no value can be read from the JSON type ${JSON.stringify(name)}; is it registered here?`,
    )
  }
  return value
}

function readCustom(marker: string, data: unknown, custom: CustomTypes | undefined): unknown {
  try {
    return custom?.find(marker)?.decode(data)
  } catch (error) {
    throw new DecodeError(`the registered JSON type ${JSON.stringify(marker)} refused its data`, {
      cause: error,
    })
  }
}
