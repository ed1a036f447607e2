/** A moment read from ISO 8601 text. */
export interface IsoTime {
  /** Whole milliseconds since the epoch, rounded down; a naive time is taken as UTC. */
  readonly epochMs: number
  /** Microseconds beyond `epochMs`, 0 to 999. */
  readonly restUs: number
  /** Whether the text names no offset. */
  readonly isNaive: boolean
}

const DATE = String.raw`(\d{4})(?:-?W(\d\d)(?:-?([1-7]))?|-(\d\d)-(\d\d)|(\d\d)(\d\d)|-(\d\d)|-?(\d{3}))?`
const TIME = String.raw`(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?`
const ZONE = String.raw`(Z|z|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?`
const ISO = new RegExp(`^${DATE}(?:[^\\d]${TIME}${ZONE})?$`)

/**
 * Read a date with an optional time in any form of ISO 8601 that Celery's readers take.
 *
 * @returns `undefined` when the text is none of them, or names a day or hour that does not exist.
 * @source dateutil, `isoparser.isoparse`, which Celery 5.3.5 and later use for `eta` and `expires`.
 */
export function parseIsoTime(text: string): IsoTime | undefined {
  const found = ISO.exec(text)
  if (!found) return undefined
  const [, year, week, weekday, month, day, compactMonth, compactDay, onlyMonth, ordinal] = found
  const dayMs = week
    ? weekDate(number(year), number(week), number(weekday, 1))
    : ordinal
      ? ordinalDate(number(year), number(ordinal))
      : calendarDate(
          number(year),
          number(month ?? compactMonth ?? onlyMonth, 1),
          number(day ?? compactDay, 1),
        )
  const clock = clockOf(found.slice(10, 14))
  const zoneMs = zoneOffset(found.slice(14))
  if (dayMs === undefined || clock === undefined || zoneMs === undefined) return undefined
  return { epochMs: dayMs + clock.ms - zoneMs, restUs: clock.restUs, isNaive: found[14] === undefined }
}

/** The moment as Celery writes it: six fraction digits and `+00:00`; `undefined` outside the years 0 to 9999. */
export function formatUtc(epochMs: number): string | undefined {
  const date = new Date(epochMs)
  if (Number.isNaN(date.getTime())) return undefined
  const text = date.toISOString()
  return text.length === 24 ? `${text.slice(0, 23)}000+00:00` : undefined
}

function number(digits: string | undefined, fallback = 0): number {
  return digits === undefined ? fallback : Number(digits)
}

function calendarDate(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined
}

function ordinalDate(year: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, 0, day)
  return date.getUTCFullYear() === year ? date.getTime() : undefined
}

function weekDate(year: number, week: number, weekday: number): number | undefined {
  if (week < 1 || week > 53) return undefined
  // 4 January is always in week 1.
  const date = new Date(0)
  date.setUTCFullYear(year, 0, 4)
  const monday = 4 - ((date.getUTCDay() + 6) % 7)
  date.setUTCFullYear(year, 0, monday + (week - 1) * 7 + weekday - 1)
  return date.getTime()
}

function clockOf(parts: readonly (string | undefined)[]): { ms: number; restUs: number } | undefined {
  const hours = number(parts[0])
  const minutes = number(parts[1])
  const seconds = number(parts[2])
  const micros = Number((parts[3] ?? '').slice(0, 6).padEnd(6, '0'))
  const isMidnightAfter = hours === 24 && minutes === 0 && seconds === 0 && micros === 0
  if ((hours > 23 && !isMidnightAfter) || minutes > 59 || seconds > 59) return undefined
  const ms = hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + Math.floor(micros / 1000)
  return { ms, restUs: micros % 1000 }
}

function zoneOffset(parts: readonly (string | undefined)[]): number | undefined {
  const [, sign, hours, minutes, seconds] = parts
  if (sign === undefined) return 0
  if (number(hours) > 23 || number(minutes) > 59 || number(seconds) > 59) return undefined
  const ms = number(hours) * 3_600_000 + number(minutes) * 60_000 + number(seconds) * 1000
  return sign === '-' ? -ms : ms
}
