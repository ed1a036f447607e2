import { describe, expect, it } from '@jest/globals'
import { backoffMs } from '../../../src/util/backoff.js'

describe('backoffMs', () => {
  it('doubles from the first delay up to the ceiling', () => {
    const delays = [0, 1, 2, 3, 4].map((attempt) => backoffMs(attempt, { firstMs: 100, maxMs: 500 }))

    expect(delays).toEqual([100, 200, 400, 500, 500])
  })

  it('stays at the ceiling however many tries there were', () => {
    expect(backoffMs(100_000, { firstMs: 1, maxMs: 60_000 })).toBe(60_000)
  })

  it('stays at zero when the first delay is zero', () => {
    expect(backoffMs(100_000, { firstMs: 0, maxMs: 60_000 })).toBe(0)
  })

  it('uses the given factor', () => {
    expect(backoffMs(2, { firstMs: 10, factor: 3, maxMs: 1000 })).toBe(90)
  })

  it('lets chance take the given share', () => {
    const options = { firstMs: 1000, maxMs: 1000, jitter: 0.5 }

    expect(backoffMs(0, options, () => 0)).toBe(1000)
    expect(backoffMs(0, options, () => 0.5)).toBe(750)
    expect(backoffMs(0, { ...options, jitter: 1 }, () => 0.999)).toBe(1)
  })
})
