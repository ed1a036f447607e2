import { describe, expect, it } from '@jest/globals'
import { DateTime, Duration } from 'luxon'
import { ConfigError } from '../../../src/errors/errors.js'
import { readSchedule } from '../../../src/schedule/read-schedule.js'
import { clocked, crontab, every, solar } from '../../../src/schedule/schedules.js'

function nextOf(input: unknown, after: string, timezone = 'UTC'): string | undefined {
  const at = readSchedule(input, 'test').next(DateTime.fromISO(after, { zone: 'UTC' }), { timezone })
  return at === undefined ? undefined : new Date(at.valueOf()).toISOString()
}

describe('a crontab', () => {
  it('is every minute without fields', () => {
    expect(nextOf(crontab(), '2026-01-01T10:00:30Z')).toBe('2026-01-01T10:01:00.000Z')
  })

  it('is read in UTC unless a zone is named', () => {
    const schedule = crontab({ minute: 0, hour: 8 })

    expect(nextOf(schedule, '2026-01-01T00:00:00Z')).toBe('2026-01-01T08:00:00.000Z')
    expect(nextOf(schedule, '2026-01-01T10:00:00Z', 'Asia/Tokyo')).toBe('2026-01-01T23:00:00.000Z')
  })

  it('gives a date and time of the zone, for a date, a number or a date of luxon', () => {
    const schedule = crontab({ minute: 0 })
    const at = new Date('2026-01-01T10:20:00Z')

    const found = schedule.next(at, { timezone: 'Asia/Kolkata' })

    expect(found.toISO()).toBe('2026-01-01T16:00:00.000+05:30')
    expect(schedule.next(at.getTime(), { timezone: 'Asia/Kolkata' })).toEqual(found)
    expect(schedule.next(DateTime.fromJSDate(at), { timezone: 'Asia/Kolkata' })).toEqual(found)
  })

  it.each([
    ['minute', { minute: '1,13,30-45/5' }, [1, 13, 30, 35, 40, 45]],
    ['minute', { minute: '55-5/2' }, [1, 3, 5, 55, 57, 59]],
    ['minute', { minute: new Set([30, 0]) }, [0, 30]],
    ['hour', { hour: [8, 17] }, [8, 17]],
    ['hour', { hour: '*/5' }, [0, 5, 10, 15, 20]],
    ['dayOfWeek', { dayOfWeek: 'mon-fri' }, [1, 2, 3, 4, 5]],
    ['dayOfWeek', { dayOfWeek: 'Saturday,sun' }, [0, 6]],
    ['dayOfMonth', { dayOfMonth: '1-7,15-21' }, [1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 18, 19, 20, 21]],
    ['monthOfYear', { monthOfYear: 'nov-feb' }, [1, 2, 11, 12]],
    ['monthOfYear', { monthOfYear: '*/3' }, [1, 4, 7, 10]],
  ] as const)('reads %s of %j', (field, options, values) => {
    expect(crontab(options)[field]).toEqual(values)
  })

  it('takes days that fit both the day of the month and the day of the week', () => {
    const schedule = crontab({ minute: 0, hour: 0, dayOfWeek: 1, dayOfMonth: '1-7' })

    expect(nextOf(schedule, '2026-01-01T00:00:00Z')).toBe('2026-01-05T00:00:00.000Z')
    expect(nextOf(schedule, '2026-01-05T00:00:00Z')).toBe('2026-02-02T00:00:00.000Z')
  })

  it.each([
    [{ minute: 60 }, /minute.*0-59.*60/],
    [{ hour: '25' }, /hour.*0-23.*25/],
    [{ hour: '8-' }, /hour.*"8-" is no range/],
    [{ minute: '5/10' }, /step but no range/],
    [{ minute: '*/0' }, /step of 0/],
    [{ minute: '' }, /minute.*empty/],
    [{ minute: [] }, /minute.*empty/],
    [{ minute: 1.5 }, /out of range/],
    [{ dayOfWeek: 7 }, /Sunday is 0/],
    [{ dayOfWeek: 'funday' }, /dayOfWeek.*"funday"/],
    [{ dayOfMonth: 0 }, /dayOfMonth.*1-31/],
    [{ dayOfMonth: 31, monthOfYear: 'feb,apr' }, /no year has a day/],
    [{ dayofweek: 1 }, /did you mean "dayOfWeek"/],
  ])('refuses %j where it is written', (options, message) => {
    const make = (): unknown => readSchedule({ type: 'crontab', ...options }, 'test')

    expect(make).toThrow(ConfigError)
    expect(make).toThrow(message)
  })

  it.each([
    ['0 8 1 * *', '2026-02-01T08:00:00.000Z'],
    ['  30   7 * * mon ', '2026-01-05T07:30:00.000Z'],
    ['@yearly', '2027-01-01T00:00:00.000Z'],
    ['@monthly', '2026-02-01T00:00:00.000Z'],
    ['@weekly', '2026-01-04T00:00:00.000Z'],
    ['@daily', '2026-01-02T00:00:00.000Z'],
    ['@hourly', '2026-01-01T11:00:00.000Z'],
  ])('reads %j as cron does', (text, expected) => {
    expect(nextOf(text, '2026-01-01T10:20:00Z')).toBe(expected)
  })

  it.each([
    ['0 0 * * 8', /dayOfWeek/],
    ['0 0 * *', /five fields/],
    ['0 0 0 * * *', /five fields/],
    ['@reboot', /five fields/],
  ])('refuses the line %j', (text, message) => {
    expect(() => crontab.fromString(text)).toThrow(message)
  })

  it('finds the next leap day on a Monday', () => {
    expect(nextOf('0 0 29 2 1', '2026-01-01T00:00:00Z')).toBe('2044-02-29T00:00:00.000Z')
  })

  it('refuses a zone that is none', () => {
    expect(() => crontab().next(0, { timezone: 'Mars/Olympus' })).toThrow(/IANA name/)
  })
})

describe('an interval', () => {
  it('counts real time, also over a change of clocks', () => {
    expect(nextOf({ days: 1 }, '2026-03-07T20:00:00Z', 'America/New_York')).toBe('2026-03-08T20:00:00.000Z')
    expect(nextOf(30, '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:30.000Z')
    expect(nextOf(Duration.fromObject({ minutes: 5 }), '2026-01-01T00:00:00Z')).toBe(
      '2026-01-01T00:05:00.000Z',
    )
  })

  it.each([
    [{ hours: 1 }, '2026-01-01T10:20:30Z', '2026-01-01T11:00:00.000Z'],
    [{ minutes: 15 }, '2026-01-01T10:07:30Z', '2026-01-01T10:22:00.000Z'],
    [{ days: 1 }, '2026-01-01T10:20:30Z', '2026-01-02T00:00:00.000Z'],
    [{ seconds: 30 }, '2026-01-01T10:20:30.400Z', '2026-01-01T10:21:00.000Z'],
  ])('rounds %j to the clock where it is relative', (length, after, expected) => {
    const found = every(length, { relative: true }).next(new Date(after))

    expect(found.toUTC().toISO()).toBe(expected)
  })

  it('finds the last instant of a long time at once', () => {
    const found = every(1).latest(0, 365 * 86_400_000 + 400)

    expect(found?.toMillis()).toBe(365 * 86_400_000)
    expect(every({ hours: 1 }, { relative: true }).latest(0, 7_500_000)?.toMillis()).toBe(7_200_000)
    expect(every(60).latest(0, 59_999)).toBeUndefined()
    const hours = 3_600_000
    const halfPastTwo = every({ hours: 2.5 }, { relative: true })
    expect(halfPastTwo.latest(0, 12 * hours + 1_200_000)?.toMillis()).toBe(12 * hours)
    expect(halfPastTwo.latest(hours, 12 * hours)?.toMillis()).toBe(11 * hours)
  })

  it.each([0, -5, Number.POSITIVE_INFINITY, {}, 'soon', undefined, { fortnights: 1 }])(
    'refuses %j',
    (length) => {
      expect(() => readSchedule(length, 'the entry "x"')).toThrow(/the entry "x"/)
    },
  )
})

describe('other schedules', () => {
  it('is once, at an instant', () => {
    const at = new Date('2027-01-01T00:00:00Z')

    expect(nextOf(at, '2026-01-01T00:00:00Z')).toBe('2027-01-01T00:00:00.000Z')
    expect(nextOf(clocked('2027-01-01T09:00:00+09:00'), '2026-01-01T00:00:00Z')).toBe(
      '2027-01-01T00:00:00.000Z',
    )
    expect(nextOf(at, '2027-01-01T00:00:00Z')).toBeUndefined()
    expect(() => clocked('2027-01-01T00:00:00')).toThrow(/zone/)
  })

  it('passes over days on which the sun does not rise', () => {
    const tromso = solar('sunrise', 69.65, 18.96)

    expect(nextOf(tromso, '2026-12-01T00:00:00Z')?.slice(0, 7)).toBe('2027-01')
    expect(nextOf(solar('dawn_astronomical', 90, 0), '2026-01-01T00:00:00Z')).toBeUndefined()
  })

  it.each([
    [() => solar('sunset', 91, 0), /latitude/],
    [() => solar('sunset', 0, 181), /longitude/],
    [() => readSchedule({ type: 'solar', event: 'noon', latitude: 0, longitude: 0 }, 'x'), /solar event/],
    [() => readSchedule({ type: 'lunar' }, 'x'), /type crontab/],
  ])('refuses what is not on Earth', (make, message) => {
    expect(make).toThrow(message)
  })

  it('can be an object of the caller', () => {
    const yearly = { next: (after: DateTime) => after.plus({ years: 1 }).startOf('year') }

    expect(nextOf(yearly, '2026-05-01T00:00:00Z')).toBe('2027-01-01T00:00:00.000Z')
  })

  it.each([
    crontab({ minute: '*/5', hour: [8, 9], dayOfWeek: 'mon' }),
    every({ minutes: 5 }, { relative: true }),
    every(0.5),
    clocked(1_800_000_000_000),
    solar('dusk_civil', 10, 20),
  ])('comes back whole from its plain form: %s', (schedule) => {
    const plain: unknown = JSON.parse(JSON.stringify(schedule))

    const again = readSchedule(plain, 'test')

    expect(JSON.stringify(again)).toBe(JSON.stringify(schedule))
    expect(again.next(DateTime.fromMillis(0))).toEqual(schedule.next(0))
  })
})
