import { ConfigError } from '../errors/errors.js'
import type { DurationInput } from '../util/duration.js'
import { isRecord } from '../util/record.js'
import { Crontab } from './crontab.js'
import { Interval, type IntervalOptions } from './interval.js'
import { OneOff } from './one-off.js'
import type { Schedule, ScheduleData } from './schedule.js'
import { clocked, crontab } from './schedules.js'
import { Solar } from './solar.js'

/** A schedule as a user writes it: a length of time, a line of cron, an instant, a schedule, or plain data. */
export type ScheduleInput = DurationInput | string | Date | Schedule | ScheduleData

/**
 * The schedule that was meant.
 *
 * @param name - Whose it is, named in errors.
 * @throws {@link ConfigError} for anything else.
 */
export function readSchedule(input: unknown, name: string, options: IntervalOptions = {}): Schedule {
  try {
    return read(input, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(`${name}: ${error.message}`, { cause: error })
  }
}

/** Whether it has a `next`. */
export function isSchedule(value: unknown): value is Schedule {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function'
}

function read(input: unknown, options: IntervalOptions): Schedule {
  if (typeof input === 'string') return crontab.fromString(input)
  if (typeof input === 'number') return new Interval(input, options)
  if (input instanceof Date) return new OneOff(input)
  if (isSchedule(input)) return input
  if (isMillis(input)) return new Interval(input, options)
  if (!isRecord(input))
    throw new ConfigError(`expected a length of time, a line of cron or a schedule, got: ${String(input)}`)
  const { type, ...rest } = input
  return type === undefined ? new Interval(rest, options) : ofType(type, rest, options)
}

function ofType(type: unknown, data: Readonly<Record<string, unknown>>, options: IntervalOptions): Schedule {
  switch (type) {
    case 'crontab':
      return new Crontab(data)
    case 'interval':
    case 'timedelta': {
      const { relative = options.relative, ...length } = data
      return new Interval(length, { relative: relative === true })
    }
    case 'clocked':
      return clocked(String(data['at']))
    case 'solar':
      return solarOf(data)
    default:
      throw new ConfigError(
        `expected a schedule of type crontab, interval, clocked or solar, got: ${JSON.stringify(type)}`,
      )
  }
}

function solarOf({ event, latitude, longitude }: Readonly<Record<string, unknown>>): Solar {
  const fits = (text: unknown): text is Solar['event'] => typeof text === 'string'
  if (!fits(event)) throw new ConfigError(`expected the name of a solar event, got: ${String(event)}`)
  return new Solar(event, Number(latitude), Number(longitude))
}

function isMillis(value: unknown): value is { toMillis(): number } {
  return (
    typeof value === 'object' && value !== null && 'toMillis' in value && typeof value.toMillis === 'function'
  )
}
