import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import type { CrontabOptions } from '../../../src/schedule/crontab.js'
import { crontab, solar } from '../../../src/schedule/schedules.js'
import type { SolarEvent } from '../../../src/schedule/solar.js'

interface CrontabRow {
  readonly fields: CrontabOptions
  readonly zone: string
  readonly after: string
  readonly next: readonly string[]
}

interface SolarRow {
  readonly event: SolarEvent
  readonly latitude: number
  readonly longitude: number
  readonly after: string
  readonly next: string
}

function table(name: string): string {
  const url = new URL(`../../../../test/vectors/schedules/${name}`, import.meta.url)
  return readFileSync(url, 'utf8')
}

const { rows }: { readonly rows: readonly CrontabRow[] } = JSON.parse(table('celery-5.7.json'))
const zones = [...new Set(rows.map(({ zone }) => zone))]

describe('schedules beside recorded ones', () => {
  it.each(zones)('gives the instants that Celery 5.7 gives for a crontab in %s', (timezone) => {
    const own = rows.filter(({ zone }) => zone === timezone)
    for (const { fields, after, next } of own) {
      const schedule = crontab(fields)
      let at = new Date(after)
      const found = next.map(() => {
        at = schedule.next(at, { timezone }).toJSDate()
        return at.toISOString().replace('.000Z', 'Z')
      })

      expect({ fields, after, next: found }).toEqual({ fields, after, next })
    }
    expect(own.length).toBeGreaterThan(100)
  })

  it('has the sun rise and set within 10 seconds of an ephemeris', () => {
    const { rows: events }: { readonly rows: readonly SolarRow[] } = JSON.parse(table('solar.json'))
    for (const { event, latitude, longitude, after, next } of events) {
      const found = solar(event, latitude, longitude).next(new Date(after))

      expect(Math.abs((found?.toMillis() ?? 0) - Date.parse(next))).toBeLessThan(10_000)
    }
    expect(events.length).toBeGreaterThan(100)
  })
})
