import { describe, expect, it } from '@jest/globals'
import { ManualClock } from '../../support/manual-clock.js'
import { Deadlines, type Deadline } from '../../../src/worker/run/deadlines.js'

class Mark implements Deadline {
  atMs = 0
  place = -1
  readonly #fired: () => void

  constructor(fired: () => void) {
    this.#fired = fired
  }

  expire(): void {
    this.#fired()
  }
}

function bench(): { clock: ManualClock; deadlines: Deadlines } {
  const clock = new ManualClock()
  return { clock, deadlines: new Deadlines({ clock, elapsedMs: () => clock.now() }) }
}

describe('Deadlines', () => {
  it('expire in the order of their moments, each once', () => {
    const { clock, deadlines } = bench()
    const fired: number[] = []
    for (const ms of [50, 10, 30, 20, 40]) deadlines.add(new Mark(() => fired.push(ms)), ms)

    clock.advance(35)
    expect(fired).toEqual([10, 20, 30])
    clock.advance(100)

    expect(fired).toEqual([10, 20, 30, 40, 50])
    expect(deadlines.size).toBe(0)
  })

  it('share one timer', () => {
    const { clock, deadlines } = bench()

    for (let ms = 1000; ms > 0; ms -= 1) deadlines.add(new Mark(() => undefined), ms)

    expect(clock.waiting).toBe(1)
  })

  it('leave no trace when removed, at any place', () => {
    const { clock, deadlines } = bench()
    const fired: number[] = []
    const marks = Array.from({ length: 200 }, (_, index) => new Mark(() => fired.push(index)))
    for (const [index, mark] of marks.entries()) deadlines.add(mark, 1 + ((index * 7919) % 200))

    for (const [index, mark] of marks.entries()) if (index % 3 !== 0) deadlines.remove(mark)
    expect(deadlines.size).toBe(67)
    clock.advance(500)

    expect(fired.toSorted((one, other) => one - other)).toEqual(
      marks.map((_, index) => index).filter((index) => index % 3 === 0),
    )
  })

  it('can be added while others expire', () => {
    const { clock, deadlines } = bench()
    const fired: string[] = []
    deadlines.add(
      new Mark(() => {
        fired.push('first')
        deadlines.add(new Mark(() => fired.push('second')), 5)
      }),
      10,
    )

    clock.advance(20)

    expect(fired).toEqual(['first', 'second'])
  })

  it('forget everything when cleared', () => {
    const { clock, deadlines } = bench()
    const mark = new Mark(() => {
      throw new RangeError('expired')
    })
    deadlines.add(mark, 10)

    deadlines.clear()
    clock.advance(20)
    deadlines.remove(mark)

    expect([deadlines.size, clock.waiting]).toEqual([0, 0])
  })
})
