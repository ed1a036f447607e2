import { describe, expect, it } from '@jest/globals'
import { formatUtc, parseIsoTime } from '../../../src/message/serializer/iso-time.js'
import { list, readVector, record, text } from './vectors.js'

const table = readVector('celery-5.6.3/codecs/eta-parsing.json')
const rows = list(table['cases']).map(record)

describe('parseIsoTime', () => {
  it.each(rows.map((row) => [row['text'], row] as const))('reads %j as Python does', (value, row) => {
    const time = parseIsoTime(text(value))

    if (typeof row['isoformat'] !== 'string') {
      expect(time).toBeUndefined()
      return
    }
    expect(time?.isNaive).toBe(row['naive'])
    const expected = row['isoformat'] + (row['naive'] === true ? 'Z' : '')
    expect(time?.epochMs).toBe(Date.parse(expected))
    expect(time?.restUs).toBe(Number(/\.\d{3}(\d{3})/.exec(expected)?.[1] ?? 0))
  })

  it.each([
    ['2030-13-01', undefined],
    ['2030-02-30', undefined],
    ['2029-02-29', undefined],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
    ['2030-060', Date.UTC(2030, 2, 1)],
    ['2030-366', undefined],
    ['2030-W54-1', undefined],
    ['2030-01-02T25:00', undefined],
    ['2030-01-02T24:00:01', undefined],
    ['2030-01-02T03:60', undefined],
    ['2030-01-02T03:04:05+99:00', undefined],
    ['2030-01-02T03:04:05 +02:00', undefined],
    ['0001-01-01T00:00:00Z', -62135596800000],
    ['2030-01-02T03:04:05,5Z', Date.UTC(2030, 0, 2, 3, 4, 5, 500)],
  ])('knows the calendar: %s', (value, epochMs) => {
    expect(parseIsoTime(value)?.epochMs).toBe(epochMs)
  })
})

describe('formatUtc', () => {
  it('writes six digits and an offset', () => {
    expect(formatUtc(Date.UTC(2026, 10, 20, 10, 31, 17, 744))).toBe('2026-11-20T10:31:17.744000+00:00')
  })

  it.each([[Number.NaN], [Infinity], [8.64e15], [-6.3e13]])('has no form for %d', (epochMs) => {
    expect(formatUtc(epochMs)).toBeUndefined()
  })
})
