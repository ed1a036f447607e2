import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'
import { Reject } from '../../../src/index.js'
import { ManualClock } from '../../support/manual-clock.js'
import { Bench } from './harness.js'

describe('the dead letters of a worker', () => {
  it('are dropped when they are older than deadLetterExpires or more than deadLetterMaxLength', async () => {
    const clock = new ManualClock()
    await using bench = new Bench({ deadLetterExpires: { minutes: 15 }, deadLetterMaxLength: 2 }, clock)
    const bad = bench.app.task('tasks.bad', () => {
      throw new Reject('no')
    })
    await bench.start()
    const depth = (count: number): Promise<true> =>
      eventually(async () => ((await bench.depth('celery.dead')) === count ? true : undefined))
    for (const count of [1, 2, 3]) {
      await bad.delay()
      await depth(count)
    }

    clock.advance(60_000)
    await depth(2)
    clock.advance(600_000)
    expect(await bench.depth('celery.dead')).toBe(2)
    clock.advance(600_000)
    await depth(0)
  })
})
