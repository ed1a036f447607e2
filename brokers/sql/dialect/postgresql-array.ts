import type { SqlValue } from '../sql-session.js'

const OID = { bytea: 17, text: 25 } as const
const HEADER = 20

/**
 * One column of many rows as an array in PostgreSQL's binary form: nothing in it has to be escaped, or parsed again.
 *
 * @source PostgreSQL 15, `src/backend/utils/adt/arrayfuncs.c`, `array_recv`.
 */
export function binaryArray(type: keyof typeof OID, values: readonly SqlValue[]): Uint8Array {
  const items = type === 'text' ? values.map(withoutZero) : values
  const size = items.reduce<number>((sum, item) => sum + 4 + sizeOf(item), HEADER)
  const bytes = Buffer.allocUnsafe(size)
  bytes.writeInt32BE(1, 0)
  bytes.writeInt32BE(items.includes(null) ? 1 : 0, 4)
  bytes.writeInt32BE(OID[type], 8)
  bytes.writeInt32BE(items.length, 12)
  bytes.writeInt32BE(1, 16)
  let at = HEADER
  for (const item of items) at = write(bytes, at, item)
  return bytes
}

/** Integers as the text of an array, which is as short. */
export function integerArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Numbers or texts as the text of an array. */
export function listText(values: readonly unknown[]): string {
  const items = values.map((value) =>
    typeof value === 'number' ? value : `"${String(value).replaceAll(/["\\]/g, '\\$&')}"`,
  )
  return `{${items.join(',')}}`
}

/** The value without zero bytes, of which PostgreSQL keeps none in a text. */
export function withoutZero<Value>(value: Value): Value | string {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}

function sizeOf(value: SqlValue): number {
  if (value === null) return 0
  return typeof value === 'object' ? value.length : Buffer.byteLength(String(value))
}

/** Length and bytes of an element; where the next one begins. */
function write(bytes: Buffer, at: number, value: SqlValue): number {
  const from = at + 4
  if (value === null) {
    bytes.writeInt32BE(-1, at)
    return from
  }
  if (typeof value === 'object') bytes.set(value, from)
  const length = typeof value === 'object' ? value.length : bytes.write(String(value), from)
  bytes.writeInt32BE(length, at)
  return from + length
}
