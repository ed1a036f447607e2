import { describe, expect, it } from '@jest/globals'
import { inWaves } from '../../../src/util/in-waves.js'

describe('inWaves', () => {
  it('gives the results in order, and never has more than a thousand under way', async () => {
    let most = 0
    let underWay = 0
    const results = await inWaves(
      Array.from({ length: 2500 }, (_, index) => index),
      async (item) => {
        underWay += 1
        most = Math.max(most, underWay)
        await Promise.resolve()
        underWay -= 1
        return item * 2
      },
    )

    expect(results.length).toBe(2500)
    expect([results[0], results[1000], results[2499]]).toEqual([0, 2000, 4998])
    expect(most).toBe(1000)
  })

  it('does all of it, and rejects with the first error then', async () => {
    const done: number[] = []
    const all = inWaves(
      Array.from({ length: 2001 }, (_, index) => index),
      async (item) => {
        await Promise.resolve()
        if (item === 3 || item === 1500) throw new Error(`item ${item}`)
        done.push(item)
      },
    )

    await expect(all).rejects.toThrow('item 3')
    expect(done.length).toBe(1999)
  })

  it('has nothing to do for no items', async () => {
    expect(await inWaves([], () => Promise.resolve(1))).toEqual([])
  })
})
