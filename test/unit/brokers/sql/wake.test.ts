import { describe, expect, it } from '@jest/globals'
import { Wake } from '../../../../brokers/sql/wake.js'

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
