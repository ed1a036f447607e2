import { MAX_JSON_DEPTH } from '../../src/message/serializer/json-writer.js'
import { isRecord } from '../../src/util/record.js'

const INT32_END = 2 ** 31
const INT64_END = 2 ** 63

/**
 * Header values as the client library is to write them.
 *
 * Integers are tagged as 32-bit: left to itself the library takes the smallest type, and what RabbitMQ means by a 16-bit
 * integer is a short string to Python. Integers beyond are 64-bit where Python reads them right, else floats.
 *
 * @source py-amqp 5.3, `amqp/serialization.py`, `_read_item`.
 */
export function toTable(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const table: Record<string, unknown> = {}
  for (const name in values) {
    const value = values[name]
    if (value !== undefined) table[name] = toField(value)
  }
  return table
}

function toField(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return toNumber(value)
    case 'bigint':
      return value >= 0n && value < BigInt(INT64_END) ? { '!': 'int64', value } : String(value)
    case 'object':
      return value === null ? null : toContainer(value)
    default:
      return null
  }
}

function toContainer(value: object): unknown {
  if (Array.isArray(value)) return value.map(toField)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value)
  const table = toTable(Object.fromEntries(Object.entries(value)))
  // The library takes an object with this name for a tagged value.
  return '!' in table ? { '!': 'object', value: table } : table
}

function toNumber(value: number): unknown {
  if (!Number.isInteger(value)) return { '!': 'double', value }
  if (value >= -INT32_END && value < INT32_END) return { '!': 'int32', value }
  return value > 0 && value < INT64_END ? { '!': 'int64', value } : { '!': 'double', value }
}

/**
 * Header values as the client library read them, its tagged values made plain; times are seconds.
 *
 * @throws `RangeError` for what nests so deep that it cannot be written again.
 */
export function fromTable(
  values: Readonly<Record<string, unknown>>,
  depth = 0,
): Readonly<Record<string, unknown>> {
  let table: Record<string, unknown> | undefined
  for (const name in values) {
    const value = values[name]
    if (typeof value !== 'object' || value === null) continue
    const plain = fromField(value, depth + 1)
    if (plain === value) continue
    table ??= { ...values }
    table[name] = plain
  }
  return table ?? values
}

function fromField(value: unknown, depth: number): unknown {
  if (depth > MAX_JSON_DEPTH) throw new RangeError(`the headers nest deeper than ${MAX_JSON_DEPTH} levels`)
  if (Array.isArray(value))
    return value.some(isObject) ? value.map((item) => fromField(item, depth + 1)) : value
  if (!isRecord(value) || value instanceof Uint8Array) return value
  return '!' in value ? untagged(value, depth) : fromTable(value, depth)
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

function untagged(value: Readonly<Record<string, unknown>>, depth: number): unknown {
  const inner = value['value']
  if (value['!'] === 'decimal' && isRecord(inner))
    return Number(inner['digits']) / 10 ** Number(inner['places'])
  return value['!'] === 'timestamp' ? inner : fromTable(value, depth)
}
