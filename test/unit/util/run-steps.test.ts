import { describe, expect, it } from '@jest/globals'
import { runSteps } from '../../../src/util/run-steps.js'

describe('runSteps', () => {
  it('runs each step after the one before has ended', async () => {
    const order: string[] = []
    const slow = async (): Promise<void> => {
      await Promise.resolve()
      order.push('slow')
    }

    await runSteps([
      { name: 'first', run: slow },
      { name: 'second', run: () => order.push('quick') },
    ])

    expect(order).toEqual(['slow', 'quick'])
  })

  it('runs the rest after a failure and gathers the errors', async () => {
    const order: string[] = []
    const told: string[] = []
    const steps = [
      {
        name: 'one',
        run: () => {
          throw new RangeError('broken')
        },
      },
      { name: 'two', run: () => order.push('two') },
      { name: 'three', run: () => Promise.reject(new TypeError('late')) },
    ]

    const failure = await runSteps(steps, (step) => told.push(step)).catch((error: unknown) => error)

    expect(order).toEqual(['two'])
    expect(told).toEqual(['one', 'three'])
    expect(failure).toBeInstanceOf(AggregateError)
    expect(failure).toMatchObject({
      message: 'failed: one, three',
      errors: [{ message: 'broken' }, { message: 'late' }],
    })
  })
})
