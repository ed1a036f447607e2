import { describe, expect, it } from '@jest/globals'
import { EndedLeases, LAST_CALL_MS } from '../../../../brokers/sql/ended-leases.js'

function stage(): { readonly leases: EndedLeases; pass(ms: number): void } {
  let nowMs = 0
  return {
    leases: new EndedLeases(() => nowMs),
    pass: (ms) => {
      nowMs += ms
    },
  }
}

describe('EndedLeases', () => {
  it('waits for a lease that has not ended', () => {
    expect(stage().leases.step(400, 1000)).toEqual({ kind: 'wait', ms: 400 })
  })

  it('calls first, waits, and then frees those that had ended at the call', () => {
    const { leases, pass } = stage()

    expect(leases.step(-100, 1000)).toEqual({ kind: 'call' })
    leases.called(1000)
    expect(leases.step(-100, 1000)).toEqual({ kind: 'wait', ms: LAST_CALL_MS })
    pass(LAST_CALL_MS)

    expect(leases.step(-100, 1000)).toEqual({ kind: 'free' })
    expect(leases.endedBeforeMs).toBe(1000)
  })

  it('calls again for a lease that ended after the call', () => {
    const { leases, pass } = stage()
    leases.called(1000)
    pass(LAST_CALL_MS)

    expect(leases.step(-100, 1101)).toEqual({ kind: 'call' })
  })
})
