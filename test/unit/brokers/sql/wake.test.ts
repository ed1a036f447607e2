import { describe, expect, it } from '@jest/globals'
import { Wake, wait } from '../../../../brokers/sql/wake.js'

const never = new AbortController().signal

describe('Wake', () => {
  it('tells every listener, and counts for those who did not listen', () => {
    let commit = (): void => undefined
    const wake = new Wake((changed) => {
      commit = changed
      return () => undefined
    })
    const heard: string[] = []
    wake.subscribe(() => heard.push('a'))
    const end = wake.subscribe(() => heard.push('b'))
    const before = wake.count

    commit()
    end()
    wake.signal()

    expect(heard).toEqual(['a', 'b', 'a'])
    expect(wake.count).toBe(before + 2)
  })

  it('watches from the first listener on, and until it is closed', () => {
    const log: string[] = []
    const wake = new Wake(() => {
      log.push('started')
      return () => log.push('stopped')
    })

    expect(log).toEqual([])
    wake.subscribe(() => undefined)()
    wake.subscribe(() => undefined)()
    wake.close()

    expect(log).toEqual(['started', 'stopped'])
  })
})

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
