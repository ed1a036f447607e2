import { describe, expect, it } from '@jest/globals'

import {
  EXCEPTION_STATES,
  isReady,
  precedence,
  PROPAGATE_STATES,
  READY_STATES,
  UNREADY_STATES,
} from '../../../src/result/states.js'

describe('result states', () => {
  it('the sets are those of Celery', () => {
    expect([...READY_STATES].sort()).toEqual(['FAILURE', 'REVOKED', 'SUCCESS'])
    expect([...UNREADY_STATES].sort()).toEqual(['PENDING', 'RECEIVED', 'REJECTED', 'RETRY', 'STARTED'])
    expect([...EXCEPTION_STATES].sort()).toEqual(['FAILURE', 'RETRY', 'REVOKED'])
    expect([...PROPAGATE_STATES].sort()).toEqual(['FAILURE', 'REVOKED'])
  })

  it('precedence orders the states as Celery does, with own states between FAILURE and REVOKED', () => {
    const states = [
      'PENDING',
      'RETRY',
      'STARTED',
      'PROGRESS',
      'SUCCESS',
      'REVOKED',
      'FAILURE',
      'RECEIVED',
      'REJECTED',
    ]

    const ordered = [...states].sort((left, right) => precedence(left) - precedence(right))

    expect(ordered).toEqual([
      'SUCCESS',
      'FAILURE',
      'PROGRESS',
      'REVOKED',
      'STARTED',
      'RECEIVED',
      'REJECTED',
      'RETRY',
      'PENDING',
    ])
  })

  it('a state of a user’s own is not ready, and neither is RETRY', () => {
    expect(isReady('PROGRESS')).toBe(false)
    expect(isReady('RETRY')).toBe(false)
    expect(isReady('REVOKED')).toBe(true)
  })
})
