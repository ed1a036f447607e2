import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  giveBackEnvelope,
  readEnvelope,
  toDelivery,
  writeEnvelope,
} from '../../../../brokers/redis/envelope.js'
import { readEntry } from '../../../../brokers/redis/claim-entry.js'
import { withMember } from '../../../../brokers/redis/json-members.js'
import { isRecord } from '../../../../src/util/record.js'

/** As kombu writes it, with what Python's JSON has and JavaScript's has not. */
const FOREIGN =
  '{"body": "W1tdLCB7fSwge31d", "content-encoding": "utf-8", "content-type": "application/json", "headers": ' +
  '{"id": "one", "task": "shop.add", "weight": NaN, "order": 123456789012345678901234567890, "text": "\\u00e4 \\"}"}, ' +
  '"properties": {"correlation_id": "one", "delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "celery"}, ' +
  '"priority": 0, "body_encoding": "base64", "delivery_tag": "tag", "stamp": 98765432109876543210}}'

function marksOf(text: string): unknown {
  const { fields } = readEnvelope(text)
  const properties = fields?.['properties']
  return isRecord(properties) ? properties['lovage'] : undefined
}

describe('an envelope', () => {
  it('of Python may hold NaN and integers of any size', () => {
    const { message } = toDelivery(readEnvelope(FOREIGN), 'celery', 'tag')

    expect(message.headers).toEqual({
      id: 'one',
      task: 'shop.add',
      weight: Number.NaN,
      order: 123456789012345678901234567890n,
      text: 'ä "}',
    })
    expect(message.properties.extra).toEqual({ stamp: 98765432109876543210n })
    expect(Buffer.from(message.body).toString()).toBe('[[], {}, {}]')
  })

  it('goes back as it was written, byte for byte but for its marks', () => {
    const back = giveBackEnvelope(readEnvelope(FOREIGN), { unspent: false, headers: { tries: 2 } })

    const without = back
      .replace(',"redelivered":true,"tries":2}', '}')
      .replace(',"redelivered":true}', '}')
      .replace(/,"lovage":\{[^}]*\}/, '')
    expect(without).toBe(FOREIGN)
    expect(marksOf(back)).toEqual({ spent: 1, handouts: 1, due: false })
    expect(toDelivery(readEnvelope(back), 'celery', 'tag')).toMatchObject({
      deliveryCount: 2,
      redelivered: true,
      message: { headers: { tries: 2, order: 123456789012345678901234567890n } },
    })
  })

  it('that goes back often does not grow', () => {
    let text = FOREIGN
    for (let time = 0; time < 9; time += 1) text = giveBackEnvelope(readEnvelope(text), { unspent: true })
    const once = giveBackEnvelope(readEnvelope(FOREIGN), { unspent: true })

    expect(text.length).toBe(once.length)
    expect(marksOf(text)).toEqual({ spent: 0, handouts: 9, due: false })
  })

  it('is written with integers of any size', () => {
    const text = writeEnvelope(
      {
        body: Buffer.from('[]'),
        contentType: 'application/json',
        contentEncoding: 'utf-8',
        headers: { order: 123456789012345678901234567890n },
        properties: {},
      },
      { exchange: '', routingKey: 'celery' },
    )

    expect(text).toContain('123456789012345678901234567890')
    expect(toDelivery(readEnvelope(text), 'celery', 'tag').message.headers).toEqual({
      order: 123456789012345678901234567890n,
    })
  })

  it('that is none is delivered as bytes, and goes back as it is', () => {
    for (const text of ['', '[]', '{"body": 7}', '{"body": "x"', '"x"']) {
      const envelope = readEnvelope(text)

      expect(Buffer.from(toDelivery(envelope, 'celery', 'tag').message.body).toString()).toBe(text)
      expect(giveBackEnvelope(envelope, { unspent: false })).toBe(text)
    }
  })
})

describe('withMember', () => {
  it('sets one member of any object and leaves the others', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(object, fc.string(), fc.jsonValue(), fc.nat(3), (before, name, value, indent) => {
        const text = withMember(JSON.stringify(before, undefined, indent), name, () => JSON.stringify(value))

        const expected = Object.fromEntries([...Object.entries(before), [name, value]])
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(expected)))
      }),
    )
  })

  it('hands the text of the member that is there to whoever changes it', () => {
    const seen: unknown[] = []
    withMember('{"a": [1, "},"], "b": {"c": NaN} }', 'b', (text) => {
      seen.push(text)
      return '1'
    })
    withMember('{}', 'b', (text) => {
      seen.push(text)
      return '1'
    })

    expect(seen).toEqual(['{"c": NaN}', undefined])
  })
})

describe('an entry of `unacked`', () => {
  it.each([
    ['of Lovage', `[${FOREIGN}, "", "celery"]`, '', 'celery'],
    ['of Celery, by an exchange', `[${FOREIGN}, "shop", "orders.new"]`, 'shop', 'orders.new'],
    ['written without spaces', `[${FOREIGN},"shop","orders.new"]`, 'shop', 'orders.new'],
    ['with quotes in its names', `[${FOREIGN}, "sh\\"op\\\\", "a, \\"b\\""]`, 'sh"op\\', 'a, "b"'],
    ['with names of other scripts', `[${FOREIGN}, "", "\\u5217"]`, '', '列'],
  ])('%s has its envelope to the byte, and its route', (_title, entry, exchange, routingKey) => {
    expect(readEntry(entry)).toEqual({ envelope: FOREIGN, exchange, routingKey })
  })

  it.each(['', '[]', '"', '[{}, "one"]', '[{}, "\\x", "two"]'])('is not %j', (entry) => {
    expect(readEntry(entry)).toBeUndefined()
  })
})
