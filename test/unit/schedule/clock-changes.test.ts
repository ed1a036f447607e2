import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import type { Crontab } from '../../../src/schedule/crontab.js'
import { crontab } from '../../../src/schedule/schedules.js'
import { changesOf, oracle, type ZoneChange } from './minute-oracle.js'

const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'

/** Every rule of the guide is in one of these: far east and west, half hours, whole days, changes at midnight. */
const SAMPLE = [
  'Europe/London',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'America/Havana',
  'America/Sao_Paulo',
  'Atlantic/Azores',
  'Africa/Casablanca',
  'Asia/Pyongyang',
  'America/Caracas',
  'Antarctica/Troll',
  'Asia/Kathmandu',
]

const CRONTABS = [
  { minute: 0 },
  { minute: 30 },
  { minute: '*/15' },
  { minute: 30, hour: 2 },
  { minute: 0, hour: 0 },
  { minute: '15,45', hour: '0-3' },
  { minute: '*/20', hour: '1,2,23' },
  { minute: 0, hour: '*/2' },
]

const AROUND_MS = 27 * 3_600_000

describe('a crontab where clocks change', () => {
  it.each(isFull ? Intl.supportedValuesOf('timeZone') : SAMPLE)(
    'agrees with a clock on the wall in %s, minute by minute',
    (timezone) => {
      const all = changesOf(timezone)
      const changes = isFull ? all : [...all.slice(0, 1), ...all.slice(-1)]
      for (const change of changes) {
        for (const options of CRONTABS) {
          const schedule = crontab(options)
          const fields = { minutes: new Set(schedule.minute), hours: new Set(schedule.hour) }
          // The first day is the oracle's run-up: it does not know what was shown before.
          const expected = oracle(change, fields, AROUND_MS).filter((ms) => ms > change.atMs - 3_600_000 * 3)

          const found = instantsUntil(schedule, change, timezone)

          const at = `${schedule.toString()} ${timezone} ${new Date(change.atMs).toISOString()}`
          expect([at, found.map(iso)]).toEqual([at, expected.map(iso)])
        }
      }
    },
  )

  it.each([
    [{ minute: 30, hour: 2 }, 'America/New_York', '2026-03-08', ['03:00-04:00']],
    [{ minute: 30, hour: 1 }, 'America/New_York', '2026-11-01', ['01:30-04:00']],
    [{ minute: '*/30', hour: 2 }, 'America/New_York', '2026-03-08', ['03:00-04:00']],
    [{ minute: 0, hour: 2 }, 'Europe/London', '2026-03-29', ['02:00+01:00']],
  ])('gives %j in %s on %s once: %j', (options, timezone, day, expected) => {
    const start = DateTime.fromISO(day, { zone: timezone })

    expect(ofDay(crontab(options), start).map((at) => at.toFormat('HH:mmZZ'))).toEqual(expected)
  })

  it('is always later than the moment asked for, and nothing lies between', () => {
    const moments = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2037, 11, 31) })
    const minute = fc.oneof(fc.constant('*'), fc.constant('*/7'), fc.integer({ min: 0, max: 59 }))
    const hour = fc.oneof(fc.constant('*'), fc.constant('*/6'), fc.integer({ min: 0, max: 23 }))
    fc.assert(
      fc.property(moments, minute, hour, fc.constantFrom(...SAMPLE), (ms, minutes, hours, timezone) => {
        const schedule = crontab({ minute: minutes, hour: hours })
        const next = schedule.next(ms, { timezone }).toMillis()
        const between = ms + Math.floor((next - ms) / 2)

        expect(next).toBeGreaterThan(ms)
        expect(schedule.next(between, { timezone }).toMillis()).toBe(next)
      }),
      { numRuns: isFull ? 20_000 : 300 },
    )
  })

  it('has 23 or 25 hours on days on which the clocks move by an hour, and each fixed time once', () => {
    const zones = ['Europe/London', 'America/New_York', 'Australia/Sydney', 'America/Santiago', 'Asia/Beirut']
    const changes = zones.flatMap((zone) => changesOf(zone, 2015, 2030))
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        (change, hour, minute) => {
          // The clocks may move at midnight: the day is that of the minute before or after, whichever it happens to.
          const start = DateTime.fromMillis(change.atMs - 1, { zone: change.zone }).startOf('day')
          const hours = (start.plus({ days: 1 }).startOf('day').toMillis() - start.toMillis()) / 3_600_000
          const whole = hours === 24 ? start.plus({ days: 1 }) : start
          const moved = 24 - (change.after - change.before) / 60

          expect(ofDay(crontab({ minute }), whole)).toHaveLength(moved)
          expect(ofDay(crontab({ minute, hour }), whole)).toHaveLength(1)
        },
      ),
      { numRuns: isFull ? 5_000 : 200 },
    )
  })
})

function ofDay(schedule: Crontab, day: DateTime): readonly DateTime[] {
  const timezone = day.zoneName ?? 'UTC'
  const endMs = day.plus({ days: 1 }).startOf('day').toMillis()
  const found: DateTime[] = []
  let next = schedule.next(day.startOf('day').toMillis() - 1, { timezone })
  while (next.toMillis() < endMs) {
    found.push(next)
    next = schedule.next(next, { timezone })
  }
  return found
}

function instantsUntil(schedule: Crontab, { atMs }: ZoneChange, timezone: string): readonly number[] {
  const found: number[] = []
  let ms = schedule.next(atMs - 3_600_000 * 3, { timezone }).toMillis()
  while (ms <= atMs + AROUND_MS) {
    found.push(ms)
    ms = schedule.next(ms, { timezone }).toMillis()
  }
  return found
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
