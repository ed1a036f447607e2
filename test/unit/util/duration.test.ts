import { describe, expect, it } from '@jest/globals'
import { ConfigError } from '../../../src/errors/errors.js'
import { toMs } from '../../../src/util/duration.js'

describe('toMs', () => {
  it('reads a bare number as seconds', () => {
    expect(toMs(1.5, 'countdown')).toBe(1500)
    expect(toMs(0, 'countdown')).toBe(0)
  })

  it('passes Infinity', () => {
    expect(toMs(Infinity, 'timeout')).toBe(Infinity)
  })

  it('adds up the units of an object', () => {
    expect(toMs({ minutes: 1, seconds: 30, milliseconds: 5 }, 'timeout')).toBe(90_005)
    expect(toMs({ weeks: 1, days: 1, hours: 1 }, 'timeout')).toBe(694_800_000)
  })

  it('asks anything with toMillis', () => {
    expect(toMs({ toMillis: () => 42 }, 'timeout')).toBe(42)
  })

  it.each([
    ['NaN', NaN],
    ['a text', '10'],
    ['null', null],
    ['undefined', undefined],
    ['an array', [1]],
    ['an empty object', {}],
    ['an unknown unit', { fortnights: 1 }],
    ['a unit with a text', { seconds: '1' }],
    ['a toMillis that is no function', { toMillis: 5 }],
    ['a toMillis that gives NaN', { toMillis: () => NaN }],
  ])('refuses %s and names the option', (_name, input) => {
    const run = (): unknown => Reflect.apply(toMs, undefined, [input, 'lease'])
    expect(run).toThrow(ConfigError)
    expect(run).toThrow(/expected lease to be/)
  })
})
