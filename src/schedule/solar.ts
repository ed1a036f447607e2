import type { DateTime } from 'luxon'
import { ConfigError } from '../errors/errors.js'
import { inZone, momentMs, zoneOf, type Moment, type NextOptions } from './moment.js'
import type { Schedule, ScheduleData } from './schedule.js'
import { sunPosition } from './sun-position.js'

/** What the sun does. */
export type SolarEvent =
  | 'dawn_astronomical'
  | 'dawn_nautical'
  | 'dawn_civil'
  | 'sunrise'
  | 'solar_noon'
  | 'sunset'
  | 'dusk_civil'
  | 'dusk_nautical'
  | 'dusk_astronomical'

/** Where the sun's centre stands, in degrees over the horizon, and on which side of noon. */
interface SunMark {
  readonly altitude: number
  readonly side: -1 | 0 | 1
}

// Rising and setting: 34 minutes of refraction and the sun's radius.
const RISE = -50 / 60

const MARKS: Readonly<Record<SolarEvent, SunMark>> = {
  dawn_astronomical: { altitude: -18, side: -1 },
  dawn_nautical: { altitude: -12, side: -1 },
  dawn_civil: { altitude: -6, side: -1 },
  sunrise: { altitude: RISE, side: -1 },
  solar_noon: { altitude: 0, side: 0 },
  sunset: { altitude: RISE, side: 1 },
  dusk_civil: { altitude: -6, side: 1 },
  dusk_nautical: { altitude: -12, side: 1 },
  dusk_astronomical: { altitude: -18, side: 1 },
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const MOST_DAYS = 370
const RADIANS = Math.PI / 180

/**
 * An event of the sun at a place, to about a minute. Days on which it does not happen, near the poles, are passed over.
 *
 * @source Celery 5.7, `celery/schedules.py`, `solar`, for the events and their horizons.
 */
export class Solar implements Schedule {
  readonly event: SolarEvent
  /** Degrees north. */
  readonly latitude: number
  /** Degrees east. */
  readonly longitude: number

  /** @throws {@link ConfigError} for an unknown event or a place that is not on Earth. */
  constructor(event: SolarEvent, latitude: number, longitude: number) {
    if (!isSolarEvent(event))
      throw new ConfigError(
        `expected a solar event of ${Object.keys(MARKS).join(', ')}, got: ${String(event)}`,
      )
    if (!(Math.abs(latitude) <= 90))
      throw new ConfigError(`expected the latitude to be within -90 and 90, got: ${latitude}`)
    if (!(Math.abs(longitude) <= 180))
      throw new ConfigError(`expected the longitude to be within -180 and 180, got: ${longitude}`)
    this.event = event
    this.latitude = latitude
    this.longitude = longitude
  }

  /** The event's next time; `undefined` where a whole year has none. */
  next(after: Moment, options: NextOptions = {}): DateTime | undefined {
    const afterMs = momentMs(after)
    const firstDay = Math.floor(afterMs / DAY_MS) - 1
    for (let day = firstDay; day < firstDay + MOST_DAYS; day += 1) {
      const ms = this.#on(day)
      if (ms !== undefined && ms > afterMs) return inZone(ms, zoneOf(options))
    }
    return undefined
  }

  /** `sunrise at 51.5, -0.1`. */
  toString(): string {
    return `${this.event} at ${this.latitude}, ${this.longitude}`
  }

  /** Plain data. */
  toJSON(): ScheduleData {
    return { type: 'solar', event: this.event, latitude: this.latitude, longitude: this.longitude }
  }

  /** Its time on a day, counted from the epoch; the sun moves on meanwhile, hence the rounds. */
  #on(day: number): number | undefined {
    const noonMs = day * DAY_MS + (720 - 4 * this.longitude) * MINUTE_MS
    let ms = noonMs
    for (let round = 0; round < 5; round += 1) {
      const { declination, equationOfTimeMinutes } = sunPosition(ms)
      const angle = this.#hourAngle(declination)
      if (angle === undefined) return undefined
      ms = noonMs + (angle * 4 - equationOfTimeMinutes) * MINUTE_MS
    }
    return Math.round(ms)
  }

  /** Degrees from noon at which the sun stands at the mark; `undefined` when it never does. */
  #hourAngle(declination: number): number | undefined {
    const { altitude, side } = MARKS[this.event]
    if (side === 0) return 0
    const latitude = this.latitude * RADIANS
    const cosine =
      (Math.sin(altitude * RADIANS) - Math.sin(latitude) * Math.sin(declination)) /
      (Math.cos(latitude) * Math.cos(declination))
    return Math.abs(cosine) > 1 ? undefined : (side * Math.acos(cosine)) / RADIANS
  }
}

function isSolarEvent(event: string): event is SolarEvent {
  return event in MARKS
}
