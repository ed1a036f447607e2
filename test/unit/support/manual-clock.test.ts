import { describe, expect, it } from '@jest/globals'
import { ManualClock } from '../../support/manual-clock.js'

describe('a manual clock', () => {
  it('fires timers in the order in which they are due, each at its own moment', () => {
    const clock = new ManualClock(1000)
    const fired: [string, number][] = []
    clock.setTimer(30, () => fired.push(['late', clock.now()]))
    clock.setTimer(10, () => fired.push(['early', clock.now()]))

    clock.advance(40)

    expect(fired).toEqual([
      ['early', 1010],
      ['late', 1030],
    ])
    expect(clock.now()).toBe(1040)
  })

  it('forgets a cancelled timer', () => {
    const clock = new ManualClock()
    const cancel = clock.setTimer(10, () => {
      throw new Error('fired')
    })

    cancel()
    clock.advance(20)

    expect(clock.waiting).toBe(0)
  })
})
