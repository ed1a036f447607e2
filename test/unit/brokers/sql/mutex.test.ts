import { describe, expect, it } from '@jest/globals'
import { Mutex } from '../../../../brokers/sql/mutex.js'

describe('Turnstile', () => {
  it('lets work through one at a time, in order', async () => {
    const turnstile = new Mutex()
    const log: string[] = []
    const work = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`)
      await new Promise(setImmediate)
      log.push(`${name} ends`)
    }

    await Promise.all([turnstile.pass(work('a')), turnstile.pass(work('b'))])

    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('goes on after work that failed', async () => {
    const turnstile = new Mutex()

    const failing = turnstile.pass(() => Promise.reject(new RangeError('no')))
    const next = turnstile.pass(() => Promise.resolve('done'))

    await expect(failing).rejects.toThrow(RangeError)
    await expect(next).resolves.toBe('done')
  })
})
