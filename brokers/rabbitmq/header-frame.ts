import { isRecord } from '../../src/util/record.js'
import type { Envelope } from './envelope.js'

/** Head and end of a frame, class, weight, size of the body, and flags. */
const FRAME_BYTES = 8 + 14
/** Delivery mode, priority, and the length of the table. */
const FIXED_BYTES = 2 + 4

/**
 * How many bytes of the connection the properties of a message take, its headers among them; they are one frame.
 *
 * @source AMQP 0-9-1, 4.2.6.1, "The Content Header".
 */
export function headerFrameBytes({ options: { headers, ...properties } }: Envelope): number {
  const table: unknown = headers
  let bytes = FRAME_BYTES + FIXED_BYTES + (isRecord(table) ? tableBytes(table) : 0)
  for (const value of Object.values(properties))
    if (typeof value === 'string') bytes += 1 + Buffer.byteLength(value)
  return bytes
}

function tableBytes(table: Readonly<Record<string, unknown>>): number {
  let bytes = 0
  for (const [name, value] of Object.entries(table)) bytes += 1 + Buffer.byteLength(name) + fieldBytes(value)
  return bytes
}

/** A value with its tag. */
function fieldBytes(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value)
  if (typeof value === 'boolean') return 2
  if (Buffer.isBuffer(value)) return 5 + value.byteLength
  if (Array.isArray(value)) return value.reduce<number>((bytes, one) => bytes + fieldBytes(one), 5)
  if (!isRecord(value)) return 1
  if (!('!' in value)) return 5 + tableBytes(value)
  if (value['!'] === 'object' && isRecord(value['value'])) return 5 + tableBytes(value['value'])
  return value['!'] === 'int32' ? 5 : 9
}
