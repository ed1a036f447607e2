import { describe, expect, it } from '@jest/globals'
import { TagBatch } from '../../../src/worker/lease/tag-batch.js'
import type { LeaseKeeper } from '../../../src/broker/lease-keeper.js'

describe('claims that the keeper has to name', () => {
  it('are told at once when a body may block the event loop next, and not a second time', async () => {
    const told: unknown[] = []
    const keeper: Pick<LeaseKeeper, 'changed'> = {
      changed: (holder, change) => {
        told.push([holder, change])
      },
    }
    const batch = new TagBatch(keeper as LeaseKeeper, 'holder')

    batch.change('a', true)
    batch.change('b', true)
    batch.flush()
    const before = [...told]
    await Promise.resolve()

    expect(before).toEqual([['holder', { added: ['a', 'b'], removed: [] }]])
    expect(told).toEqual(before)
  })
})
