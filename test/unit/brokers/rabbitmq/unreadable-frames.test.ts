import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import type { ChannelModel } from 'amqplib'
import { readEveryMessage } from '../../../../brokers/rabbitmq/workaround/unreadable-frames.js'
import { projectRoot } from '../../../support/child.js'

interface Reader {
  rest: Buffer
  recvFrame: () => unknown
}

/** The library exports no path to it. */
const { Connection }: { Connection: new (stream: object) => Reader } = createRequire(import.meta.url)(
  join(projectRoot, 'node_modules/amqplib/lib/connection.js'),
)

/** Lists in lists. */
function deepList(levels: number): Buffer {
  const bytes = Buffer.alloc(5 * levels)
  for (let level = 0; level < levels; level += 1) {
    bytes.write('A', 5 * level, 'latin1')
    bytes.writeUInt32BE(5 * (levels - level - 1), 5 * level + 1)
  }
  return bytes
}

/** The frame of a message with a content type, one header and a correlation id. */
function frameOf(value: Buffer): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32BE(2 + value.length)
  const shortText = (text: string): Buffer => Buffer.from(`${String.fromCharCode(text.length)}${text}`)
  const payload = Buffer.concat([
    Buffer.from([0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0xa4, 0]),
    shortText('text/plain'),
    size,
    shortText('a'),
    value,
    shortText('id-1'),
  ])
  const head = Buffer.from([2, 0, 1, 0, 0, 0, 0])
  head.writeUInt32BE(payload.length, 3)
  return Buffer.concat([head, payload, Buffer.from([0xce])])
}

function read(...frames: readonly Buffer[]): readonly unknown[] {
  const connection = new Connection({ read: () => null, on: () => undefined })
  connection.rest = Buffer.concat(frames)
  // The rest of the model is not used.
  readEveryMessage({ connection } as unknown as ChannelModel)
  return frames.map(() => connection.recvFrame())
}

it.each([
  ['lists nested 20,000 deep', deepList(20_000), /stack/],
  ['a type that the client library does not know', Buffer.from('Z1', 'latin1'), /type tag "Z"/],
  [
    'a type that it does not know in a list, beside an integer of Python',
    Buffer.from('A\0\0\0\x0bL\0\0\0\0\0\0\0\x01Z1', 'latin1'),
    /Z|range/,
  ],
])('a message whose headers hold %s is read without them, and the next as it is', (_what, value, words) => {
  const next = frameOf(Buffer.from('S\0\0\0\x04next', 'latin1'))

  const frames = read(frameOf(value), next)

  const properties = { contentType: 'text/plain', correlationId: 'id-1' }
  expect(frames).toMatchObject([
    {
      size: 7,
      fields: { ...properties, headers: { 'lovage-unreadable-headers': expect.stringMatching(words) } },
    },
    { size: 7, fields: { ...properties, headers: { a: 'next' } } },
  ])
})
