import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { systemClock } from '../../../src/util/clock.js'

const THIRTY_DAYS_MS = 30 * 86_400_000

describe('systemClock', () => {
  beforeEach(() => {
    jest.useFakeTimers()
  })

  afterEach(() => {
    jest.useRealTimers()
  })

  it('holds timers longer than a Node timer can', () => {
    const fn = jest.fn()
    systemClock.setTimer(THIRTY_DAYS_MS, fn)

    jest.advanceTimersByTime(THIRTY_DAYS_MS - 1)
    expect(fn).not.toHaveBeenCalled()
    jest.advanceTimersByTime(1)

    expect(fn).toHaveBeenCalledTimes(1)
  })

  it('never fires a timer of infinite length', () => {
    const fn = jest.fn()
    const cancel = systemClock.setTimer(Number.POSITIVE_INFINITY, fn)

    jest.advanceTimersByTime(THIRTY_DAYS_MS * 4)

    expect(fn).not.toHaveBeenCalled()
    cancel()
    expect(jest.getTimerCount()).toBe(0)
  })

  it('cancels a long timer after its first leg', () => {
    const fn = jest.fn()
    const cancel = systemClock.setTimer(THIRTY_DAYS_MS, fn)
    jest.advanceTimersByTime(THIRTY_DAYS_MS - 1)

    cancel()
    jest.advanceTimersByTime(THIRTY_DAYS_MS)

    expect(fn).not.toHaveBeenCalled()
  })
})
