import { describe, expect, it } from '@jest/globals'
import { ClaimWindow } from '../../../src/worker/claim/claim-window.js'
import { ReadAhead } from '../../../src/worker/claim/read-ahead.js'

function windowOf(
  concurrency: number,
  prefetchMultiplier = Number.POSITIVE_INFINITY,
): {
  window: ClaimWindow
  readAhead: ReadAhead
} {
  const options = { concurrency, prefetchMultiplier, readAheadMs: 50 }
  const readAhead = new ReadAhead(options)
  return { window: new ClaimWindow({ ...options, readAhead }), readAhead }
}

describe('ClaimWindow', () => {
  it('claims into free slots only while no speed is known', () => {
    const { window } = windowOf(4)

    expect(window.room()).toBe(4)
    window.began()
    window.began()

    expect(window.room()).toBe(2)
  })

  it('counts what is not settled yet against the prefetch multiplier', () => {
    const { window } = windowOf(2, 1)
    window.settling()

    expect(window.room()).toBe(1)
    window.settling()
    expect(window.room()).toBe(0)
    window.settled()

    expect(window.room()).toBe(1)
  })

  it('waits with work at hand until a batch is worth a round trip', () => {
    const { window, readAhead } = windowOf(2)
    for (let task = 0; task < 4; task += 1) readAhead.observe(1)
    expect(readAhead.count).toBe(64)
    window.began()
    window.began()
    for (let task = 0; task < 64; task += 1) window.buffered()

    expect(window.room()).toBe(0)
    for (let task = 0; task < 56; task += 1) window.unbuffered()

    expect(window.room()).toBe(56)
  })

  it('claims a batch of the shortest tasks while another runs, and no third', () => {
    const { window, readAhead } = windowOf(2)
    for (let task = 0; task < 4; task += 1) readAhead.observe(0.01)
    window.began()
    window.began()
    for (let task = 0; task < 128; task += 1) window.buffered()

    expect(window.room()).toBe(128)
    for (let task = 0; task < 128; task += 1) window.buffered()

    expect(window.room()).toBe(0)
  })

  it('claims no more at once than a batch', () => {
    const { window, readAhead } = windowOf(2)
    for (let task = 0; task < 4; task += 1) readAhead.observe(0.01)

    expect(readAhead.count).toBe(256)
    expect(window.room()).toBe(130)
  })

  it('waits for short tasks to be settled when the bound leaves room for a small batch only', () => {
    const { window, readAhead } = windowOf(2)
    for (let task = 0; task < 4; task += 1) readAhead.observe(0.01)
    for (let task = 0; task < window.most - 40; task += 1) window.settling()

    expect(window.room()).toBe(0)
    for (let task = 0; task < 100; task += 1) window.settled()

    expect(window.room()).toBe(130)
  })

  it('wakes the waiting loop when a slot is free', async () => {
    const { window } = windowOf(1)
    window.began()
    const room = window.free(new AbortController().signal)

    window.ended(1)
    window.wake()

    expect(await room).toBe(1)
  })

  it('ends the wait with 0 when the signal aborts', async () => {
    const { window } = windowOf(1)
    const stop = new AbortController()
    window.began()
    const room = window.free(stop.signal)

    stop.abort()

    expect(await room).toBe(0)
  })
})
