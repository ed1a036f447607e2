import { ConfigError } from '../errors/errors.js'

/** What a field of a crontab may be: one number, a pattern (`'1,13,30-45/5'`, `'mon-fri'`), or numbers. */
export type CrontabSpec = number | string | Iterable<number>

/** The fields of a crontab. */
export type CrontabFieldName = 'minute' | 'hour' | 'dayOfWeek' | 'dayOfMonth' | 'monthOfYear'

/** One field of a crontab. */
export interface CrontabField {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names of its values, the first of `min`; the first three letters are enough. */
  readonly names?: readonly string[]
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
]

/** What each field may hold. @source Celery 5.7, `celery/schedules.py`, `crontab`. */
export const CRONTAB_FIELDS: Readonly<Record<CrontabFieldName, CrontabField>> = {
  minute: { name: 'minute', min: 0, max: 59 },
  hour: { name: 'hour', min: 0, max: 23 },
  dayOfWeek: { name: 'dayOfWeek', min: 0, max: 6, names: DAYS },
  dayOfMonth: { name: 'dayOfMonth', min: 1, max: 31 },
  monthOfYear: { name: 'monthOfYear', min: 1, max: 12, names: MONTHS },
}

/**
 * The values that a field names, in ascending order.
 *
 * @source Celery 5.7, `celery/schedules.py`, `crontab_parser`: steps, wrap-around, names.
 * @throws {@link ConfigError} that names the field.
 */
export function expandField(spec: unknown, field: CrontabField): readonly number[] {
  const values = new Set(valuesOf(spec, field))
  if (values.size === 0) throw refused(spec, field, 'it is empty')
  return [...values].sort((one, other) => one - other)
}

function valuesOf(spec: unknown, field: CrontabField): readonly number[] {
  if (typeof spec === 'number') return [checked(spec, spec, field)]
  if (typeof spec === 'string') return spec.split(',').flatMap((part) => expandPart(part.trim(), spec, field))
  if (isIterable(spec)) return [...spec].map((value) => checked(value, spec, field))
  throw refused(spec, field, 'it is neither a number, text nor a list of numbers')
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function expandPart(part: string, spec: string, field: CrontabField): readonly number[] {
  const match = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part)
  if (match === null) throw refused(spec, field, part === '' ? 'a part is empty' : `"${part}" is no range`)
  const [, star, first = '', last, step] = match
  if (step !== undefined && star === undefined && last === undefined)
    throw refused(spec, field, `"${part}" has a step but no range`)
  const range =
    star === undefined
      ? rangeOf(numberOf(first, spec, field), numberOf(last ?? first, spec, field), field)
      : rangeOf(field.min, field.max, field)
  const every = Number(step ?? 1)
  if (every === 0) throw refused(spec, field, 'a step of 0 never ends')
  return range.filter((_, index) => index % every === 0)
}

/** A range whose end is before its start goes on past the largest value. */
function rangeOf(from: number, to: number, { min, max }: CrontabField): readonly number[] {
  const size = to >= from ? to - from + 1 : max - from + 1 + (to - min + 1)
  return Array.from({ length: size }, (_, index) => min + ((from - min + index) % (max - min + 1)))
}

function numberOf(word: string, spec: string, field: CrontabField): number {
  if (/^\d+$/.test(word)) return checked(Number(word), spec, field)
  const name = word.toLowerCase()
  const index = name.length < 3 ? -1 : (field.names ?? []).findIndex((known) => known.startsWith(name))
  if (index >= 0) return field.min + index
  throw refused(spec, field, `"${word}" is no number${field.names === undefined ? '' : ' and no name'}`)
}

function checked(value: unknown, spec: unknown, field: CrontabField): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= field.min && value <= field.max)
    return value
  const hint = field.name === 'dayOfWeek' && value === 7 ? '; Sunday is 0' : ''
  throw refused(spec, field, `${String(value)} is out of range${hint}`)
}

function refused(spec: unknown, { name, min, max }: CrontabField, why: string): ConfigError {
  const shown = typeof spec === 'string' ? JSON.stringify(spec) : String(spec)
  return new ConfigError(`expected ${name} of a crontab to be within ${min}-${max}, got: ${shown} (${why})`)
}
