import { describe, expect, it } from '@jest/globals'
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
    const before = performance.now()

    await wait({ ms: 20, signal: never, until: () => () => undefined })

    expect(performance.now() - before).toBeGreaterThanOrEqual(19)
  })
})
