import { describe, expect, it } from '@jest/globals'

import { UsageError } from '../../../src/cli/usage-error.js'
import {
  collectList,
  parseArgs,
  parseDate,
  parseKwargs,
  parseSeconds,
  parseSecondsOrDate,
  parseWhole,
} from '../../../src/cli/values.js'

describe('arguments of a call', () => {
  it('are a JSON array, empty when left out', () => {
    expect(parseArgs('[5, {"a": null}]')).toEqual([5, { a: null }])
    expect(parseArgs(undefined)).toEqual([])
  })

  it.each(['5', '{"a": 1}', '5, 10', "['a']"])('refuse %s and show how to write it', (text) => {
    expect(() => parseArgs(text)).toThrow(UsageError)
    expect(() => parseArgs(text)).toThrow("'[5, 10]'")
  })

  it('by name are a JSON object', () => {
    expect(parseKwargs('{"x": 5}')).toEqual({ x: 5 })
    expect(() => parseKwargs('[5]')).toThrow('must be a JSON object')
  })
})

describe('lengths of time', () => {
  it.each([
    ['10', 10],
    ['0.5', 0.5],
    ['250ms', 0.25],
    ['2m', 120],
    ['1h', 3600],
    ['1d', 86_400],
  ])('reads %s', (text, seconds) => {
    expect(parseSeconds(text, '--countdown')).toBeCloseTo(seconds)
  })

  it.each(['', 'soon', '-1', '5 weeks'])('refuses "%s" and names the option', (text) => {
    expect(() => parseSeconds(text, '--countdown')).toThrow('--countdown must be seconds')
  })
})

describe('moments', () => {
  it('with a zone are that moment', () => {
    expect(parseDate('2030-01-31T12:00:00Z', '--eta').toISOString()).toBe('2030-01-31T12:00:00.000Z')
    expect(parseDate('2030-01-31T12:00:00+02:00', '--eta').toISOString()).toBe('2030-01-31T10:00:00.000Z')
  })

  it('without a zone are local time', () => {
    expect(parseDate('2030-01-31', '--eta')).toEqual(new Date(2030, 0, 31))
  })

  it.each(['tomorrow', '2030-13-01', '12'])('refuses "%s"', (text) => {
    expect(() => parseDate(text, '--eta')).toThrow('--eta must be an ISO 8601 time')
  })

  it('may be written as seconds where both have a meaning', () => {
    expect(parseSecondsOrDate('60', '--expires')).toBe(60)
    expect(parseSecondsOrDate('2030-01-31T00:00:00Z', '--expires')).toEqual(new Date('2030-01-31T00:00:00Z'))
  })
})

it('a whole number keeps to its limits', () => {
  expect(parseWhole('9', '--priority', 0, 9)).toBe(9)
  expect(() => parseWhole('10', '--priority', 0, 9)).toThrow(
    '--priority must be a whole number from 0 to 9; got "10"',
  )
  expect(() => parseWhole('1.5', '--concurrency', 1)).toThrow('of at least 1')
})

it('lists are split at commas and add up', () => {
  expect(collectList('a, b,', undefined)).toEqual(['a', 'b'])
  expect(collectList('c', ['a'])).toEqual(['a', 'c'])
})
