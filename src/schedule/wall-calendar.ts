/** The values of a crontab's fields, ascending. */
export interface WallFields {
  readonly minute: readonly number[]
  readonly hour: readonly number[]
  readonly dayOfWeek: readonly number[]
  readonly dayOfMonth: readonly number[]
  readonly monthOfYear: readonly number[]
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const LEAP_YEAR = 2024

/** February 29 falls on each day of the week within 28 years, 40 where a century has no leap year. */
const MOST_MONTHS = 12 * 41

/** Wall times that fit, as if every zone were UTC: what cron's fields mean before clocks change. */
export class WallCalendar {
  readonly #fields: WallFields
  readonly #months: ReadonlySet<number>
  readonly #weekdays: ReadonlySet<number>
  readonly #minutesOfDay: readonly number[]

  constructor(fields: WallFields) {
    this.#fields = fields
    this.#months = new Set(fields.monthOfYear)
    this.#weekdays = new Set(fields.dayOfWeek)
    this.#minutesOfDay = fields.hour.flatMap((hour) => fields.minute.map((minute) => hour * 60 + minute))
  }

  /** Whether any year has a day that fits. */
  get hasDays(): boolean {
    return this.#fields.monthOfYear.some((month) =>
      this.#fields.dayOfMonth.some((day) => day <= daysIn(LEAP_YEAR, month)),
    )
  }

  /** The first wall time that fits, at or after this whole minute. */
  from(wallMs: number): number {
    const dayMs = Math.floor(wallMs / DAY_MS) * DAY_MS
    if (this.#fits(dayMs)) {
      const minute = (wallMs - dayMs) / MINUTE_MS
      const later = this.#minutesOfDay.find((one) => one >= minute)
      if (later !== undefined) return dayMs + later * MINUTE_MS
    }
    return this.#dayAfter(dayMs) + (this.#minutesOfDay[0] ?? 0) * MINUTE_MS
  }

  #fits(dayMs: number): boolean {
    const day = new Date(dayMs)
    return (
      this.#months.has(day.getUTCMonth() + 1) &&
      this.#weekdays.has(day.getUTCDay()) &&
      this.#fields.dayOfMonth.includes(day.getUTCDate())
    )
  }

  #dayAfter(dayMs: number): number {
    const start = new Date(dayMs + DAY_MS)
    let year = start.getUTCFullYear()
    let month = start.getUTCMonth() + 1
    let firstDay = start.getUTCDate()
    for (let looked = 0; looked < MOST_MONTHS; looked += 1) {
      const day = this.#dayOf(year, month, firstDay)
      if (day !== undefined) return day
      firstDay = 1
      month = (month % 12) + 1
      if (month === 1) year += 1
    }
    return Number.POSITIVE_INFINITY
  }

  #dayOf(year: number, month: number, firstDay: number): number | undefined {
    if (!this.#months.has(month)) return undefined
    const last = daysIn(year, month)
    return this.#fields.dayOfMonth
      .filter((day) => day >= firstDay && day <= last)
      .map((day) => Date.UTC(year, month - 1, day))
      .find((ms) => this.#weekdays.has(new Date(ms).getUTCDay()))
  }
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}
