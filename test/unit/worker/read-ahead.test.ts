import { describe, expect, it } from '@jest/globals'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'

function measured(
  concurrency: number,
  runMs: number,
  prefetchMultiplier = Number.POSITIVE_INFINITY,
): ReadAhead {
  const readAhead = new ReadAhead({ concurrency, readAheadMs: 50, prefetchMultiplier })
  for (let task = 0; task < 200; task += 1) readAhead.observe(runMs)
  return readAhead
}

describe('ReadAhead', () => {
  it('reads nothing ahead before a speed was measured', () => {
    const readAhead = new ReadAhead({
      concurrency: 10,
      readAheadMs: 50,
      prefetchMultiplier: Number.POSITIVE_INFINITY,
    })

    expect(readAhead.count).toBe(0)
    for (let task = 0; task < 9; task += 1) readAhead.observe(0.01)
    expect(readAhead.count).toBe(0)
    readAhead.observe(0.01)

    expect(readAhead.count).toBe(256)
  })

  it('has measured four tasks, however few slots there are', () => {
    const unlimited = Number.POSITIVE_INFINITY
    const readAhead = new ReadAhead({ concurrency: 1, readAheadMs: 50, prefetchMultiplier: unlimited })

    const counts = [1, 2, 3, 4].map(() => {
      readAhead.observe(0.01)
      return readAhead.count
    })

    expect(counts).toEqual([0, 0, 0, 256])
  })

  it.each([
    ['no-op tasks get a batch that runs and one that is fetched', 10, 0.01, 256],
    ['one batch where two would take longer than it may read ahead', 10, 3, 128],
    ['a task of 5 ms at concurrency 10 reads 100 ahead, rounded to a power of two', 10, 5, 64],
    ['a task of 100 ms reads 4 ahead', 10, 100, 4],
    ['a task of a second reads nothing ahead', 10, 1000, 0],
    ['one slot and 60 ms reads nothing ahead', 1, 60, 0],
  ])('%s', (_, concurrency, runMs, expected) => {
    expect(measured(concurrency, runMs).count).toBe(expected)
  })

  it('keeps claims within the prefetch multiplier', () => {
    expect(measured(10, 0.01, 4).count).toBe(30)
    expect(measured(10, 0.01, 1).count).toBe(0)
  })

  it('forgets its speed when told to', () => {
    const readAhead = measured(10, 0.01)

    readAhead.reset()

    expect(readAhead.count).toBe(0)
  })

  it('follows tasks that grow longer', () => {
    const readAhead = measured(10, 0.01)

    for (let task = 0; task < 100; task += 1) readAhead.observe(2000)

    expect(readAhead.count).toBe(0)
  })
})
