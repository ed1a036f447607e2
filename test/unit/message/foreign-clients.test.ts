import { describe, expect, it } from '@jest/globals'
import { readEnvelope } from '../../../src/broker/kombu-envelope.js'
import { Codecs } from '../../../src/message/codecs.js'
import { decodeTask } from '../../../src/message/decode-task.js'
import { EMPTY_EMBED } from '../../../src/message/embed.js'
import type { Message } from '../../../src/message/message.js'
import { foreignCalls, type ForeignCall } from './foreign-calls.js'

const codecs = new Codecs()
const accepted = codecs.serializers.accept(['json'])
const calls = foreignCalls()

/** The message of a client, as the broker that it is for hands it out. */
function messageOf({ redis, amqp }: ForeignCall): Message {
  if (amqp === undefined) return readEnvelope(redis ?? '', 'celery').message
  const { contentType = '', contentEncoding = '' } = amqp.properties
  return { body: amqp.body, contentType, contentEncoding, headers: amqp.headers, properties: {} }
}

function callOf(name: string): ForeignCall {
  const found = calls.find((call) => call.name === name)
  if (found === undefined) throw new RangeError(`no vector is named ${name}`)
  return found
}

describe('a message of another language’s client', () => {
  it.each(calls.filter((call) => call.expected !== undefined).map((call) => [call.name, call] as const))(
    'is read: %s',
    (_name, call) => {
      const task = decodeTask(messageOf(call), codecs, accepted)

      expect(task).toMatchObject(call.expected ?? {})
      expect([task.kwargs, task.stamps]).toEqual([call.expected?.['kwargs'], {}])
      expect(task.embed).toEqual(EMPTY_EMBED)
    },
  )

  it('is read when PHP wrote every empty map as a list', () => {
    const message = messageOf(callOf('celery-for-php-redis'))
    const headers = { ...message.headers, timelimit: [], stamped_headers: [], stamps: [] }

    const task = decodeTask({ ...message, headers, body: Buffer.from('[[1,2],[],[]]') }, codecs, accepted)

    expect(task).toMatchObject({ args: [1, 2], protocol: 2 })
    expect([task.kwargs, task.stamps]).toEqual([{}, {}])
    expect(task.embed).toEqual(EMPTY_EMBED)
  })

  it.each(['machinery-redis', 'machinery-amqp'])('is refused when it is of another format: %s', (name) => {
    const message = messageOf(callOf(name))

    expect(() => decodeTask(message, codecs, accepted)).toThrow('it is no message of Celery')
  })
})
