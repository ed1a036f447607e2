import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { formatUtc, parseIsoTime } from './iso-time.js'
import { Decimal, PlainDate, PlainTime, Uuid, WireDate } from './typed-values.js'
import { Unwritable } from './unwritable.js'

/** What kombu writes for a value that JSON lacks. */
export interface TypedForm {
  readonly marker: string
  readonly data: unknown
}

/**
 * The typed form of an object, or `undefined` when it has none.
 *
 * @throws Unwritable for a date that is invalid or outside the years Python knows.
 * @source kombu 5.6, `kombu/utils/json.py`, `_register_default_types`.
 */
export function typedForm(value: object): TypedForm | undefined {
  if (types.isDate(value)) return { marker: 'datetime', data: datetimeText(value) }
  if (types.isUint8Array(value)) return bytesForm(value)
  if (value instanceof Uuid) return { marker: 'uuid', data: { hex: value.hex } }
  if (value instanceof Decimal) return { marker: 'decimal', data: value.toString() }
  if (value instanceof PlainDate) return { marker: 'date', data: value.toString() }
  if (value instanceof PlainTime) return { marker: 'time', data: value.toString() }
  return undefined
}

function datetimeText(value: Date): string {
  const text = value instanceof WireDate ? value.wireText : undefined
  const written = text ?? formatUtc(value.getTime())
  if (written === undefined) throw new Unwritable('the date is invalid or outside the years 1 to 9999')
  return written
}

function bytesForm(value: Uint8Array): TypedForm {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return isUtf8(bytes)
    ? { marker: 'bytes', data: bytes.toString('utf8') }
    : { marker: 'base64', data: bytes.toString('base64') }
}

const TIME_OF_DAY = /^\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?(Z|[+-]\d\d(:?\d\d(:?\d\d)?)?)?$/

type Reader = (text: string) => unknown

const TEXT_READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['datetime', readDatetime],
  [
    'date',
    (text) => (/^\d{4}-?\d\d-?\d\d$/.test(text) && parseIsoTime(text) ? new PlainDate(text) : undefined),
  ],
  ['time', (text) => (TIME_OF_DAY.test(text) ? new PlainTime(text) : undefined)],
  ['decimal', (text) => (text.trim() === '' ? undefined : new Decimal(text))],
  ['bytes', (text) => Buffer.from(text, 'utf8')],
  ['base64', (text) => Buffer.from(text, 'base64')],
])

/** The value behind one of kombu's markers; `undefined` when the marker is unknown or the data do not fit it. */
export function readTyped(marker: string, data: unknown): unknown {
  if (marker === 'uuid') return readUuid(data)
  const read = TEXT_READERS.get(marker)
  return read && typeof data === 'string' ? read(data) : undefined
}

function readDatetime(text: string): WireDate | undefined {
  const time = parseIsoTime(text)
  return time && new WireDate(time.epochMs, text)
}

function readUuid(data: unknown): Uuid | undefined {
  if (typeof data !== 'object' || data === null || !('hex' in data) || typeof data.hex !== 'string')
    return undefined
  const uuid = new Uuid(data.hex)
  return /^[0-9a-f]{32}$/.test(uuid.hex) ? uuid : undefined
}
