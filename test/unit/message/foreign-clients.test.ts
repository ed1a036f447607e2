import { describe, expect, test } from '@jest/globals'
import { readEnvelope } from '../../../src/broker/kombu-envelope.js'
import { Codecs } from '../../../src/message/codecs.js'
import { decodeTask } from '../../../src/message/decode-task.js'
import { EMPTY_EMBED } from '../../../src/message/embed.js'
import type { Message } from '../../../src/message/message.js'
import { list, readVectors, record, text } from './vectors.js'

const codecs = new Codecs()
const accepted = codecs.serializers.accept(['json'])

/** The message of a client, as the broker that it is for hands it out. */
function messageOf(vector: Record<string, unknown>): Message {
  const body = JSON.stringify(vector['body'])
  const { redis, amqp } = vector
  if (redis === undefined) {
    const { headers, contentType, contentEncoding } = record(amqp)
    return {
      body: Buffer.from(body),
      contentType: text(contentType),
      contentEncoding: text(contentEncoding),
      headers: record(headers),
      properties: {},
    }
  }
  const envelope = { body: Buffer.from(body).toString('base64'), ...record(redis) }
  return readEnvelope(JSON.stringify(envelope), 'celery').message
}

describe('a message of another language’s client', () => {
  test.each([...readVectors('foreign-clients')])('is read: %s', (_name, vector) => {
    const task = decodeTask(messageOf(vector), codecs, accepted)

    expect(task).toMatchObject(record(vector['expected']))
    expect(task.embed).toEqual(EMPTY_EMBED)
    expect(list(vector['source']).every((source) => typeof source === 'string')).toBe(true)
  })
})
