import { describe, expect, it } from '@jest/globals'
import { suggest } from '../../../src/util/suggest.js'

const NAMES = ['taskAcksLate', 'taskAcksOnFailure', 'broker', 'tasks.add', 'tasks.mul']

describe('suggest', () => {
  it.each([
    ['taskAckLate', 'taskAcksLate'],
    ['task_acks_late', 'taskAcksLate'],
    ['brokre', 'broker'],
    ['tasks.ad', 'tasks.add'],
    ['TASKS.MUL', 'tasks.mul'],
  ])('takes %s for %s', (typed, meant) => {
    expect(suggest(typed, NAMES)).toBe(meant)
  })

  it('is silent when nothing is near', () => {
    expect(suggest('completelyOther', NAMES)).toBeUndefined()
    expect(suggest('x', [])).toBeUndefined()
  })

  it('counts swapped neighbours as one edit', () => {
    expect(suggest('abd', ['adb'])).toBe('adb')
  })
})
