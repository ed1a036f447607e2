import type { DateTime, Zone } from 'luxon'
import { ConfigError } from '../errors/errors.js'
import { refuseUnknown } from '../util/known-members.js'
import { CRONTAB_FIELDS, expandField, type CrontabSpec } from './crontab-field.js'
import { inZone, momentMs, zoneOf, type Moment, type NextOptions } from './moment.js'
import { changeBetween, firstInstantOf, offsetMs, REACH_MS } from './offsets.js'
import type { Schedule, ScheduleData } from './schedule.js'
import { WallCalendar } from './wall-calendar.js'

/** Fields of a crontab; one that is left out matches always. A day has to fit all three of its fields. */
export interface CrontabOptions {
  readonly minute?: CrontabSpec
  readonly hour?: CrontabSpec
  /** 0 is Sunday. */
  readonly dayOfWeek?: CrontabSpec
  readonly dayOfMonth?: CrontabSpec
  readonly monthOfYear?: CrontabSpec
}

const MINUTE_MS = 60_000
const ALL_HOURS = 24

/**
 * A schedule in the fields of cron, read on the clocks of a zone.
 *
 * Where the clocks of a zone change: with fixed hours, a time that is skipped happens once, at the first instant after
 * the gap, and a time that comes twice happens the first time alone. With every hour (`hour: '*'`) it happens in every
 * real hour: nothing is made up for a skipped hour, and the repeated hour counts twice.
 *
 * @source Celery 5.7, `celery/schedules.py`, `crontab`, but for the changes of clocks.
 */
export class Crontab implements Schedule {
  readonly minute: readonly number[]
  readonly hour: readonly number[]
  readonly dayOfWeek: readonly number[]
  readonly dayOfMonth: readonly number[]
  readonly monthOfYear: readonly number[]
  readonly #written: Readonly<Record<string, number | string>>
  readonly #calendar: WallCalendar

  /** @throws {@link ConfigError} that names the field, or for days that no year has. */
  constructor(options: CrontabOptions = {}) {
    refuseUnknown(options, CRONTAB_FIELDS, 'a crontab')
    const { minute = '*', hour = '*', dayOfWeek = '*', dayOfMonth = '*', monthOfYear = '*' } = options
    this.minute = expandField(minute, CRONTAB_FIELDS.minute)
    this.hour = expandField(hour, CRONTAB_FIELDS.hour)
    this.dayOfWeek = expandField(dayOfWeek, CRONTAB_FIELDS.dayOfWeek)
    this.dayOfMonth = expandField(dayOfMonth, CRONTAB_FIELDS.dayOfMonth)
    this.monthOfYear = expandField(monthOfYear, CRONTAB_FIELDS.monthOfYear)
    this.#written = {
      minute: written(minute),
      hour: written(hour),
      dayOfMonth: written(dayOfMonth),
      monthOfYear: written(monthOfYear),
      dayOfWeek: written(dayOfWeek),
    }
    this.#calendar = new WallCalendar(this)
    if (!this.#calendar.hasDays) throw new ConfigError(`no year has a day that fits ${this.toString()}`)
  }

  /**
   * The first instant after `after`.
   *
   * @param options - The zone whose clocks are read; UTC when left out.
   */
  next(after: Moment, options: NextOptions = {}): DateTime {
    const zone = zoneOf(options)
    const afterMs = momentMs(after)
    const isEveryHour = this.hour.length === ALL_HOURS
    return inZone(isEveryHour ? this.#nextReal(afterMs, zone) : this.#nextOnClock(afterMs, zone), zone)
  }

  /** `crontab(0 8 1 * *)`: minute, hour, day of month, month, day of week. */
  toString(): string {
    return `crontab(${Object.values(this.#written).join(' ')})`
  }

  /** Plain data, as {@link Crontab} takes it. */
  toJSON(): ScheduleData {
    const named = Object.entries(this.#written).filter(([, value]) => value !== '*')
    return { type: 'crontab', ...Object.fromEntries(named) }
  }

  /** Every wall time once, at the first instant that has it. */
  #nextOnClock(afterMs: number, zone: Zone): number {
    let wallMs = toMinute(afterMs + offsetMs(zone, afterMs))
    for (;;) {
      wallMs = this.#calendar.from(wallMs + MINUTE_MS)
      const instantMs = firstInstantOf(wallMs, zone)
      if (instantMs > afterMs) return instantMs
    }
  }

  /** Every instant whose wall time fits, from one change of the clocks to the next. */
  #nextReal(afterMs: number, zone: Zone): number {
    let fromMs = afterMs + 1
    for (;;) {
      const offset = offsetMs(zone, fromMs)
      const instantMs = this.#calendar.from(nextMinute(fromMs + offset)) - offset
      const changeMs = changeBetween(zone, fromMs, Math.min(instantMs, fromMs + REACH_MS))
      if (changeMs !== undefined) fromMs = changeMs
      else if (instantMs <= fromMs + REACH_MS) return instantMs
      // Far away: nothing between fits, whatever the clocks do there.
      else fromMs = instantMs - REACH_MS
    }
  }
}

function toMinute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS
}

function nextMinute(ms: number): number {
  return Math.ceil(ms / MINUTE_MS) * MINUTE_MS
}

function written(spec: CrontabSpec): number | string {
  return typeof spec === 'number' || typeof spec === 'string' ? spec : [...spec].join(',')
}
