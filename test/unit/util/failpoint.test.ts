import { afterEach, describe, expect, it } from '@jest/globals'
import { armFailpoints } from '../../../src/util/failpoint.js'

afterEach(() => {
  armFailpoints('')
})

describe('armFailpoints', () => {
  it('arms what it can read', () => {
    expect(armFailpoints('worker.before-ack=kill, worker.started@3=stop')).toBe(2)
  })

  it('arms nothing of what it cannot read', () => {
    expect(armFailpoints('worker.before-ack=explode,,=kill,worker started=kill')).toBe(0)
  })

  it('disarms with an empty text', () => {
    armFailpoints('worker.before-ack=kill')

    expect(armFailpoints('')).toBe(0)
  })
})
