import { describe, expect, it } from '@jest/globals'
import { envelopeProperties, readEnvelope, rewriteEnvelope } from '../../../src/broker/kombu-envelope.js'

/** An envelope whose headers hold a list in a list, so many times. */
function nesting(levels: number): string {
  const deep = '['.repeat(levels) + ']'.repeat(levels)
  return `{"body": "aGk=", "headers": {"deep": ${deep}}, "properties": {"body_encoding": "base64", "priority": 3}}`
}

describe('an envelope of kombu', () => {
  it('that nests as deep as Python reads is one', () => {
    const { message } = readEnvelope(nesting(700), 'celery')

    expect(Buffer.from(message.body).toString()).toBe('hi')
    expect(message.headers['deep']).toBeInstanceOf(Array)
  })

  it.each([900, 20_000, 1_000_000])('that nests %d levels is bytes that no one decodes', (levels) => {
    const text = nesting(levels)

    const { message, route } = readEnvelope(text, 'celery')

    expect(Buffer.from(message.body).equals(Buffer.from(text))).toBe(true)
    expect(message.headers).toEqual({})
    expect(route).toEqual({ exchange: '', routingKey: 'celery' })
    expect(envelopeProperties(text)).toEqual({})
    expect(rewriteEnvelope(text, () => ({ changed: true }))).toBe(text)
  })

  it('may hold brackets and escaped quotes in its texts', () => {
    const text = JSON.stringify({ body: '\\"[{'.repeat(1_000), headers: { a: '[\\'.repeat(1_000) } })

    const { message } = readEnvelope(text, 'celery')

    expect(message.headers['a']).toHaveLength(2_000)
  })
})
