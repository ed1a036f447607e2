import { describe, expect, it } from '@jest/globals'

import { ManualClock } from '../../../src/testing/manual-clock.js'

describe('a manual clock', () => {
  it('stands still until it is moved', async () => {
    const clock = new ManualClock(1000)

    await clock.advance({ seconds: 2 })

    expect(clock.now()).toBe(3000)
  })

  it('runs what is due in order, with the clock at each moment', async () => {
    const clock = new ManualClock(0)
    const fired: (readonly [string, number])[] = []
    clock.setTimer(2000, () => fired.push(['second', clock.now()]))
    clock.setTimer(1000, () => fired.push(['first', clock.now()]))
    clock.setTimer(3001, () => fired.push(['too late', clock.now()]))

    await clock.advance(3)

    expect(fired).toEqual([
      ['first', 1000],
      ['second', 2000],
    ])
    expect(clock.pendingTimers).toBe(1)
  })

  it('runs a timer that a timer set, also after an await, within the same advance', async () => {
    const clock = new ManualClock(0)
    const fired: number[] = []
    const again = async (): Promise<void> => {
      fired.push(clock.now())
      await Promise.resolve()
      clock.setTimer(3_600_000, () => void again())
    }
    clock.setTimer(0, () => void again())

    await clock.advance({ hours: 24 })

    expect(fired).toHaveLength(25)
    expect(fired.at(-1)).toBe(86_400_000)
  })

  it('a cancelled timer does not fire', async () => {
    const clock = new ManualClock(0)
    const fired: string[] = []
    const cancel = clock.setTimer(1000, () => fired.push('cancelled'))

    cancel()
    await clock.advance(2)

    expect(fired).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  it('a timer without an end never fires', async () => {
    const clock = new ManualClock(0)
    clock.setTimer(Infinity, () => expect(true).toBe(false))

    await clock.advance({ days: 400 })

    expect(clock.now()).toBe(400 * 86_400_000)
  })
})
