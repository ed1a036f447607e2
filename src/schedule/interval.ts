import type { DateTime, DateTimeUnit, Zone } from 'luxon'
import { ConfigError } from '../errors/errors.js'
import { toMs, type DurationInput } from '../util/duration.js'
import { inZone, momentMs, zoneOf, type Moment, type NextOptions } from './moment.js'
import type { Schedule, ScheduleData } from './schedule.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'

/** How an interval is counted. */
export interface IntervalOptions {
  /**
   * Round each instant down to the resolution of the interval, on the clocks of the zone: an interval of hours happens
   * on the hour, one of days at midnight.
   *
   * @defaultValue `false`
   */
  readonly relative?: boolean
}

const RESOLUTIONS: readonly (readonly [ms: number, unit: DateTimeUnit])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [0, 'second'],
]

/** How many intervals are walked one by one. */
const LONGEST_WALK = 1_000

/**
 * Every so often, in real time, counted from the instant before.
 *
 * @source Celery 5.7, `celery/schedules.py`, `schedule`; `celery/utils/time.py`, `remaining`.
 */
export class Interval implements Schedule {
  /** Milliseconds from one instant to the next. */
  readonly everyMs: number
  readonly relative: boolean

  /** @throws {@link ConfigError} for a length that is not positive, or rounded where it is below a second. */
  constructor(every: DurationInput, options: IntervalOptions = {}) {
    refuseUnknown(options, { relative: true } satisfies KnownMembers<IntervalOptions>, 'an interval')
    this.everyMs = toMs(every, 'the interval of a schedule')
    this.relative = options.relative === true
    if (!(this.everyMs >= 1) || this.everyMs === Number.POSITIVE_INFINITY)
      throw new ConfigError(
        `expected the interval of a schedule to be positive, got: ${this.everyMs / 1000} s`,
      )
    if (this.relative && this.everyMs < 1000)
      throw new ConfigError('expected the interval of a relative schedule to be a second or more')
  }

  /** `after` and the interval. */
  next(after: Moment, options: NextOptions = {}): DateTime {
    const zone = zoneOf(options)
    const ms = momentMs(after) + this.everyMs
    return this.relative ? this.#rounded(ms, momentMs(after), zone) : inZone(ms, zone)
  }

  /**
   * The last instant up to `until`, when the first one follows `after`.
   *
   * Exact, but for a rounded interval of several units after more than a thousand times its length: it is then counted
   * from shortly before `until`, and may be another instant of the same form.
   */
  latest(after: Moment, until: Moment, options: NextOptions = {}): DateTime | undefined {
    const [afterMs, untilMs] = [momentMs(after), momentMs(until)]
    const zone = zoneOf(options)
    if (!this.relative) {
      const steps = Math.floor((untilMs - afterMs) / this.everyMs)
      return steps < 1 ? undefined : inZone(afterMs + steps * this.everyMs, zone)
    }
    // Each rounded instant follows from the one before.
    const isFar = untilMs - afterMs > LONGEST_WALK * this.everyMs
    let last: DateTime | undefined
    let next = this.next(isFar ? untilMs - 2 * this.everyMs : afterMs, options)
    while (next.toMillis() <= untilMs) {
      last = next
      next = this.next(next, options)
    }
    return last
  }

  /** `every 30 s`. */
  toString(): string {
    return `every ${this.everyMs / 1000} s${this.relative ? ', on the clock' : ''}`
  }

  /** Plain data: seconds. */
  toJSON(): ScheduleData {
    return { type: 'interval', seconds: this.everyMs / 1000, ...(this.relative ? { relative: true } : {}) }
  }

  #rounded(ms: number, afterMs: number, zone: Zone): DateTime {
    const unit = RESOLUTIONS.find(([atLeast]) => this.everyMs >= atLeast)?.[1] ?? 'second'
    const rounded = inZone(ms, zone).startOf(unit)
    // Where clocks go back, the start of a day may be before the last instant.
    return rounded.toMillis() > afterMs ? rounded : inZone(ms, zone)
  }
}
