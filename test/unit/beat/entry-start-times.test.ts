import { describe, expect, it } from '@jest/globals'
import { EntryStartTimes } from '../../../src/beat/entry-start-times.js'
import type { StoredEntry } from '../../../src/broker/contract.js'

const DAILY = { task: 'shop.tick', schedule: { type: 'interval', seconds: 86_400 } }

/** When an entry begins, by what is stored of it and when that is looked at; `undefined` while it is not there. */
function beginnings(
  looks: readonly (readonly [nowMs: number, stored: Omit<StoredEntry, 'version'> | undefined])[],
): unknown[] {
  const seen = new EntryStartTimes()
  return looks.map(([nowMs, stored]) => {
    const entries = new Map(stored === undefined ? [] : [['tick', { ...stored, version: '' }]])
    return seen.dated(entries, nowMs).get('tick')?.data['sinceMs']
  })
}

describe('an entry that was written into the store by hand', () => {
  it('begins when it is first seen, and still then when it is looked at again or gets other arguments', () => {
    expect(
      beginnings([
        [1, { data: DAILY }],
        [2, { data: DAILY }],
        [3, { data: { ...DAILY, args: [1] } }],
        [4, { data: DAILY, lastMs: 3 }],
      ]),
    ).toEqual([1, 1, 1, 1])
  })

  it('begins anew when its instants change, it is resumed, or it comes back', () => {
    const hourly = { ...DAILY, schedule: { type: 'interval', seconds: 3_600 } }

    expect(
      beginnings([
        [1, { data: DAILY }],
        [2, { data: hourly }],
        [3, { data: { ...hourly, paused: true }, lastMs: 2 }],
        [4, { data: hourly, lastMs: 2 }],
        [5, undefined],
        [6, { data: hourly }],
      ]),
    ).toEqual([1, 2, 3, 4, undefined, 6])
  })

  it('goes on from when it was last sent, for a beat that begins later', () => {
    expect(beginnings([[9, { data: DAILY, lastMs: 5 }]])).toEqual([5])
  })

  it('keeps a beginning that it names', () => {
    expect(
      beginnings([
        [2, { data: { ...DAILY, sinceMs: 1 } }],
        [3, { data: { ...DAILY, sinceMs: 2 }, lastMs: 1 }],
      ]),
    ).toEqual([1, 2])
  })
})
