import { describe, expect, it } from '@jest/globals'

import { Lovage } from '../../../src/index.js'
import {
  allEnqueued,
  assertEnqueued,
  ManualClock,
  refuteEnqueued,
  TestApp,
} from '../../../src/testing/index.js'

function scene(clock: ManualClock = new ManualClock()) {
  const app = new TestApp({}, { clock })
  const add = app.task('tests.add', (x: number, y: number) => x + y)
  const mail = app.task('tests.mail', (to: string) => to)
  return { app, clock, add, mail }
}

describe('questions about what was sent', () => {
  it('assertEnqueued passes for a call that was sent with these arguments, queue and priority', async () => {
    const { app, add } = scene()
    await using _app = app
    await add.applyAsync([1, 2], { queue: 'math', priority: 7 })

    await assertEnqueued(app, add)
    await assertEnqueued(app, add, { args: [1, 2], queue: 'math', priority: 7, count: 1 })
    await assertEnqueued(app, 'tests.add', { args: [1, 2] })
  })

  it('assertEnqueued fails with what was sent instead', async () => {
    const { app, add, mail } = scene()
    await using _app = app
    await mail.delay('ada@example.org')

    await expect(assertEnqueued(app, add)).rejects.toThrow(
      /expected at least one call of tests\.add; enqueued are:\n {2}tests\.mail .*ada@example\.org/,
    )
    await expect(assertEnqueued(app, mail, { args: ['bob@example.org'] })).rejects.toThrow(
      /with \{ args: \[ 'bob/,
    )
    await expect(assertEnqueued(app, mail, { count: 2 })).rejects.toThrow(/expected 2 calls of tests\.mail/)
  })

  it('an eta is compared with a second of tolerance', async () => {
    const { app, clock, add } = scene()
    await using _app = app
    await add.applyAsync([1, 2], { countdown: { hours: 1 } })
    const due = clock.now() + 3_600_000

    await assertEnqueued(app, add, { eta: new Date(due + 900) })
    refuteEnqueued(app, add, { eta: new Date(due + 1_100) })
  })

  it('assertEnqueued waits for a call that is still to come, and no longer than it was told', async () => {
    const { app, clock, add } = scene()
    await using _app = app
    const asking = assertEnqueued(app, add, { timeout: 1 })
    const tooShort = assertEnqueued(app, add, { count: 2, timeout: 1 }).catch((error: unknown) => error)

    await add.delay(1, 2)
    await asking
    await clock.advance(1)

    expect(String(await tooShort)).toMatch(/expected 2 calls/)
  })

  it('refuteEnqueued fails for a call that was sent', async () => {
    const { app, add, mail } = scene()
    await using _app = app
    await add.delay(1, 2)

    refuteEnqueued(app, mail)
    refuteEnqueued(app, add, { args: [2, 1] })
    expect(() => refuteEnqueued(app, add)).toThrow(/expected no call of tests\.add; enqueued are:/)
  })

  it('allEnqueued has the calls in order, of all tasks or of one', async () => {
    const { app, add, mail } = scene()
    await using _app = app
    await add.delay(1, 2)
    await mail.applyAsync(['ada@example.org'], { headers: { tenant: 'acme' } })

    expect(allEnqueued(app).map(({ task }) => task)).toEqual(['tests.add', 'tests.mail'])
    expect(allEnqueued(app, mail)[0]?.headers).toEqual({ tenant: 'acme' })
  })

  it('of an app that was not watched the answer is an error, not an empty list', async () => {
    await using app = new Lovage('unwatched', { broker: 'memory://unwatched' })

    expect(() => allEnqueued(app)).toThrow(/make it a TestApp/)
  })
})
