import { describe, expect, it } from '@jest/globals'
import { Mutex } from '../../../../brokers/sql/mutex.js'

describe('Mutex', () => {
  it('lets work through one at a time, in order', async () => {
    const mutex = new Mutex()
    const log: string[] = []
    const work = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`)
      await new Promise(setImmediate)
      log.push(`${name} ends`)
    }

    await Promise.all([mutex.run(work('a')), mutex.run(work('b'))])

    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('goes on after work that failed', async () => {
    const mutex = new Mutex()

    const failing = mutex.run(() => Promise.reject(new RangeError('no')))
    const next = mutex.run(() => Promise.resolve('done'))

    await expect(failing).rejects.toThrow(RangeError)
    await expect(next).resolves.toBe('done')
  })
})
