import { types } from 'node:util'
import { MAX_JSON_DEPTH } from './json-writer.js'
import { kindOf, TooDeep, Unwritable } from './unwritable.js'

/** What a format can hold beside null, booleans, strings, finite numbers, arrays and plain objects. */
export interface PlainTreeRules {
  /** A number or integer in the form the format's library wants; throws when it has none. */
  number(value: number | bigint): unknown
  /** Whether dates may stay as they are. */
  readonly keepsDates: boolean
}

/**
 * A copy of a value that a serializer's library writes without a silent change: no holes, no classes, no functions.
 *
 * @throws Unwritable with the path of what the format cannot hold.
 */
export function plainTree(value: unknown, rules: PlainTreeRules, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
    case 'bigint':
      return rules.number(value)
    case 'undefined':
      return null
    case 'object':
      return value === null ? null : plainObject(value, rules, depth)
    default:
      throw new Unwritable(`it is ${kindOf(value)}`)
  }
}

function plainObject(value: object, rules: PlainTreeRules, depth: number): unknown {
  if (depth >= MAX_JSON_DEPTH) throw new TooDeep(`it nests deeper than ${MAX_JSON_DEPTH} levels`)
  if (Array.isArray(value)) return Array.from(value, (item, index) => child(item, index, rules, depth))
  if (types.isUint8Array(value)) return value
  if (types.isDate(value) && rules.keepsDates) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return plainTree(Reflect.apply(value.toJSON, value, ['']), rules, depth + 1)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw new Unwritable(`it is ${kindOf(value)}`)
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return Object.fromEntries(entries.map(([key, item]) => [key, child(item, key, rules, depth)]))
}

function child(item: unknown, key: string | number, rules: PlainTreeRules, depth: number): unknown {
  try {
    return plainTree(item, rules, depth + 1)
  } catch (error) {
    if (error instanceof Unwritable) error.path.push(key)
    throw error
  }
}

/** The tree with BigInt replaced by numbers where nothing is lost, and `__proto__` keys dropped; changed in place. */
export function tidied(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const near = Number(value)
    return Number.isSafeInteger(near) ? near : value
  }
  if (typeof value !== 'object' || value === null || types.isUint8Array(value)) return value
  for (const key of Object.keys(value)) {
    if (key === '__proto__') Reflect.deleteProperty(value, key)
    else Reflect.set(value, key, tidied(Reflect.get(value, key)))
  }
  return value
}
