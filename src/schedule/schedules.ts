import { ConfigError } from '../errors/errors.js'
import type { DurationInput } from '../util/duration.js'
import { Crontab, type CrontabOptions } from './crontab.js'
import { Interval, type IntervalOptions } from './interval.js'
import type { Moment } from './moment.js'
import { OneOff } from './one-off.js'
import { Solar, type SolarEvent } from './solar.js'

/** Makes crontabs. */
export interface CrontabMaker {
  /** A crontab of these fields; without any, every minute. @throws `ConfigError` that names the field. */
  (options?: CrontabOptions): Crontab
  /**
   * A crontab of text: minute, hour, day of month, month, day of week (`'0 8 1 * *'`), or `@yearly`, `@monthly`,
   * `@weekly`, `@daily`, `@hourly`.
   *
   * @throws `ConfigError` that names the field.
   */
  readonly fromString: (text: string) => Crontab
}

/** `crontab({ minute: 0, hour: 8 })`: the fields of Celery's `crontab`. */
export const crontab: CrontabMaker = Object.assign((options?: CrontabOptions) => new Crontab(options), {
  fromString: (text: string) => new Crontab(cronText(text)),
})

/** `every({ seconds: 30 })`: an interval. @throws `ConfigError` for one that is not positive. */
export function every(length: DurationInput, options?: IntervalOptions): Interval {
  return new Interval(length, options)
}

/** `clocked(new Date('2027-01-01'))`: once, at an instant; text is ISO 8601 with its zone. */
export function clocked(at: Moment | string): OneOff {
  if (typeof at !== 'string') return new OneOff(at)
  if (!/(?:Z|[+-]\d\d:?\d\d)$/i.test(at))
    throw new ConfigError(`expected an instant such as 2027-01-01T00:00:00Z, with its zone, got: "${at}"`)
  return new OneOff(new Date(at))
}

/** `solar('sunset', -37.8, 144.97)`: an event of the sun at a latitude and longitude. */
export function solar(event: SolarEvent, latitude: number, longitude: number): Solar {
  return new Solar(event, latitude, longitude)
}

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

/** The fields of a line of cron, or of one of its nicknames. @throws `ConfigError` when there are not five. */
function cronText(text: string): CrontabOptions {
  const line = text.trim()
  const fields = (NICKNAMES.get(line.toLowerCase()) ?? line).split(/\s+/)
  const [minute, hour, dayOfMonth, monthOfYear, dayOfWeek] = fields
  const isWhole = dayOfWeek !== undefined && fields.length === 5
  if (!isWhole || minute === undefined || hour === undefined)
    throw new ConfigError(
      `expected five fields of cron (minute, hour, day of month, month, day of week) or one of ${[...NICKNAMES.keys()].join(', ')}, got: "${text}"`,
    )
  return {
    minute,
    hour,
    dayOfWeek,
    ...(dayOfMonth === undefined ? {} : { dayOfMonth }),
    ...(monthOfYear === undefined ? {} : { monthOfYear }),
  }
}
