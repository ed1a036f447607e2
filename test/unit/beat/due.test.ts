import { describe, expect, it } from '@jest/globals'
import { readEntry } from '../../../src/beat/entry.js'
import { dueOf, type Due } from '../../../src/beat/due.js'

const DAY_MS = 86_400_000
const options = { timezone: 'UTC', deadlineMs: undefined }

function due(schedule: number | string, catchUp: unknown, nowMs: number): Due | undefined {
  return dueOf(readEntry('tick', { task: 'shop.tick', schedule, catchUp }), 0, { ...options, nowMs })
}

describe('catchUp skip', () => {
  it.each([
    [30_000, [60_000], 0],
    [30_001, [], 1],
  ])('an instant that is %d ms late is sent: %j', (lateMs, sendMs, missed) => {
    const found = due(60, { policy: 'skip', window: 10 }, 60_000 + lateMs)

    expect(found).toEqual({ sendMs, missed, doneMs: 60_000 })
  })
})

describe('what is due after a long time without a beat', () => {
  it.each(['last', 'skip', 'all'])(
    'is found at once after a year of an entry of each second: %s',
    (policy) => {
      const found = due(1, { policy, window: 10 }, 365 * DAY_MS + 500)

      const all = Array.from({ length: 10 }, (_, index) => 365 * DAY_MS - 9_000 + index * 1_000)
      expect(found).toEqual({
        sendMs: policy === 'all' ? all : all.slice(-1),
        missed: 365 * 86_400 - (policy === 'all' ? 10 : 1),
        doneMs: 365 * DAY_MS,
      })
    },
  )

  it('keeps the beat of an interval when all of it is older than the window', () => {
    expect(due(700, { policy: 'all', window: 1 }, 1_000_000)).toEqual({
      sendMs: [],
      missed: 1,
      doneMs: 700_000,
    })
  })

  it('is as many as one look sends, and the rest at the next one', () => {
    const found = due(1, 'all', 5_000_000)

    expect(found?.sendMs).toHaveLength(1_000)
    expect(found).toMatchObject({ missed: 0, doneMs: 1_000_000 })
  })

  it.each([
    ['0 * * * *', 'last', []],
    ['0 * * * *', 'all', []],
    ['30 * * * *', 'all', [34_200_000]],
    [3_600, 'last', [32_400_000]],
  ])('is bounded by beatCronStartingDeadline where it is a crontab: %j, %s', (schedule, catchUp, sendMs) => {
    const entry = readEntry('tick', { task: 'shop.tick', schedule, catchUp })

    const found = dueOf(entry, 0, { ...options, deadlineMs: 600_000, nowMs: 34_600_000 })

    expect(found?.sendMs).toEqual(sendMs)
  })

  it('is counted up to a thousand of a crontab', () => {
    expect(due('0 * * * *', 'last', 10 * 3_600_000)?.missed).toBe(9)
    expect(due('* * * * *', 'last', 10 * DAY_MS)?.missed).toBe(1_000)
  })
})
