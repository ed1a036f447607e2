import { describe, expect, it } from '@jest/globals'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../../support/manual-clock.js'
import { wait } from '../../../src/util/wait.js'

const never = new AbortController().signal

describe('wait', () => {
  it('ends when it is told to, and cleans up', async () => {
    const log: string[] = []

    await wait({
      ms: 60_000,
      signal: never,
      until: (end) => {
        setImmediate(end)
        return () => log.push('cleaned')
      },
    })

    expect(log).toEqual(['cleaned'])
  })

  it('ends when the signal aborts, at once when it was aborted before', async () => {
    const stop = new AbortController()
    const until = () => () => undefined
    const waiting = wait({ ms: 60_000, signal: stop.signal, until })

    stop.abort()

    await waiting
    await wait({ ms: 60_000, signal: stop.signal, until })
    expect(stop.signal.aborted).toBe(true)
  })

  it('ends when the time is up', async () => {
    const clock = new ManualClock()
    let isOver = false
    const waiting = wait({ ms: 20, signal: never, clock, until: () => () => undefined })
    void waiting.then(() => (isOver = true))

    clock.advance(19)
    await turn()
    expect(isOver).toBe(false)
    clock.advance(1)

    await waiting
  })
})
