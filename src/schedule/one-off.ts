import type { DateTime } from 'luxon'
import { inZone, momentMs, zoneOf, type Moment, type NextOptions } from './moment.js'
import type { Schedule, ScheduleData } from './schedule.js'

/** Once, at one instant. */
export class OneOff implements Schedule {
  /** The instant, in epoch milliseconds. */
  readonly atMs: number

  constructor(at: Moment) {
    this.atMs = momentMs(at)
  }

  /** The instant, while it is still to come. */
  next(after: Moment, options: NextOptions = {}): DateTime | undefined {
    return momentMs(after) < this.atMs ? inZone(this.atMs, zoneOf(options)) : undefined
  }

  /** `once at 2027-01-01T00:00:00.000Z`. */
  toString(): string {
    return `once at ${new Date(this.atMs).toISOString()}`
  }

  /** Plain data: the instant as ISO text. */
  toJSON(): ScheduleData {
    return { type: 'clocked', at: new Date(this.atMs).toISOString() }
  }
}
