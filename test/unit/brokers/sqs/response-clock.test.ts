import { describe, expect, it } from '@jest/globals'
import { ResponseClock } from '../../../../brokers/sqs/response-clock.js'

const EPOCH_MS = Date.UTC(2026, 0, 1)

/** A clock whose answers come at moments of a service that began with this process, and may be set. */
function stage(): {
  clock: ResponseClock
  serverMs: () => number
  pass(ms: number): void
  set(ms: number): void
} {
  let elapsedMs = 0
  let aheadMs = EPOCH_MS
  const clock = new ResponseClock(() => elapsedMs)
  const serverMs = (): number => elapsedMs + aheadMs
  return {
    clock,
    serverMs,
    pass: (ms) => {
      elapsedMs += ms
      clock.noteHeader({ headers: { date: new Date(serverMs()).toUTCString() } })
    },
    set: (ms) => {
      aheadMs += ms
    },
  }
}

describe("the clock of Amazon SQS's answers", () => {
  it('never runs ahead of the service, and comes nearer with each answer', () => {
    const { clock, serverMs, pass } = stage()
    const behind: number[] = []
    for (const ms of [900, 700, 5_350, 60_000, 100]) {
      pass(ms)
      behind.push(serverMs() - clock.now())
    }

    expect(behind).toEqual([900, 600, 600, 600, 50])
  })

  it('is exact after a receipt', () => {
    const { clock, serverMs, pass } = stage()
    pass(900)

    clock.note(serverMs())
    pass(450)

    expect(serverMs() - clock.now()).toBe(0)
  })

  it('follows a service whose clock is set back', () => {
    const { clock, serverMs, pass, set } = stage()
    pass(0)
    set(-5_000)

    for (const ms of [61_000, 61_000]) pass(ms)

    expect(serverMs() - clock.now()).toBe(0)
  })

  it('goes on with what it knows when an answer tells no time', () => {
    const { clock, serverMs, pass } = stage()
    clock.noteHeader({ headers: {} })
    const before = clock.hasTime
    pass(0)

    clock.noteHeader({ headers: { date: 'now' } })

    expect(before).toBe(false)
    expect(clock.now()).toBe(serverMs())
  })
})
