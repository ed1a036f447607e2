import { describe, expect, it } from '@jest/globals'
import type { ConsumeMessage } from 'amqplib'
import { NO_PROPERTIES } from './scripted-channel.js'
import { Unsettled, type UnsettledDelivery } from '../../../../brokers/rabbitmq/unsettled.js'
import { deliveryOf } from '../../../support/messages.js'

const tap = { queue: 'q', prefetch: 10, open: 0, name: 'tap' }
const properties: ConsumeMessage['properties'] = { ...NO_PROPERTIES, headers: undefined }

function held(deliveryTag: number): UnsettledDelivery {
  const fields = { deliveryTag, redelivered: false, exchange: '', routingKey: 'q', consumerTag: 'tap' }
  return {
    message: { content: Buffer.alloc(0), fields, properties },
    consumer: tap,
    delivery: deliveryOf(String(deliveryTag)),
    handedOutMs: 1,
  }
}

function settle(
  unsettled: Unsettled,
  ...numbers: readonly UnsettledDelivery[]
): readonly [number | undefined, readonly number[]] {
  const { upTo, single } = unsettled.settle(numbers)
  return [upTo?.message.fields.deliveryTag, single.map((one) => one.message.fields.deliveryTag)]
}

describe('unsettled deliveries', () => {
  it('are acknowledged up to the last of those that lead, and one by one behind a gap', () => {
    const unsettled = new Unsettled()
    const [one, two, three, four, five] = [held(1), held(2), held(3), held(4), held(5)]
    for (const each of [one, two, three, four, five]) unsettled.add(each)

    expect(settle(unsettled, five, two, one)).toEqual([2, [5]])
    expect(settle(unsettled, four)).toEqual([undefined, [4]])
    expect(settle(unsettled, three)).toEqual([3, []])
    expect(unsettled.size).toBe(0)
  })

  it('never cover one that is not settled', () => {
    const unsettled = new Unsettled()
    const [one, two] = [held(1), held(2)]
    unsettled.add(one)
    unsettled.add(two)

    expect(settle(unsettled, two)).toEqual([undefined, [2]])
    expect(unsettled.find('1')).toBe(one)
    expect(unsettled.find('2')).toBeUndefined()
  })
})
