import { describe, expect, it } from '@jest/globals'
import {
  delayedKey,
  isDelayExchange,
  leavingPatterns,
  LONGEST_SECONDS,
} from '../../../../brokers/rabbitmq/delay-names.js'
import { matchesTopic } from '../../../../src/broker/routing.js'

describe('keys of delayed messages', () => {
  it('are the seconds as 28 binary digits before the key, as kombu writes them', () => {
    expect(delayedKey(5, 'qq.key')).toBe(`${'0.'.repeat(25)}1.0.1.qq.key`)
    expect(delayedKey(LONGEST_SECONDS, 'q')).toBe(`${'1.'.repeat(28)}q`)
  })

  it('leave for exactly the queue that they name', () => {
    const reaches = (queue: string, key: string): boolean =>
      leavingPatterns(queue).some((pattern) => matchesTopic(pattern, key))

    expect(reaches('orders.eu', delayedKey(7, 'orders.eu'))).toBe(true)
    expect(reaches('eu', delayedKey(7, 'orders.eu'))).toBe(false)
  })

  it('leave with two delays before them too, which Celery 5.6 writes at a retry', () => {
    expect(
      leavingPatterns('q').some((pattern) => matchesTopic(pattern, delayedKey(1, delayedKey(2, 'q')))),
    ).toBe(true)
  })

  it('are known by the exchange that the last level hands them to', () => {
    expect(['celery_delayed_0', 'celery_delayed_delivery', 'celery'].map(isDelayExchange)).toEqual([
      true,
      true,
      false,
    ])
  })
})
