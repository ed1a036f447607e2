import { describe, expect, it } from '@jest/globals'
import { ContentDisallowedError, DecodeError } from '../../../src/errors/errors.js'
import { Codecs } from '../../../src/message/codecs.js'
import { callerHeaders } from '../../../src/message/caller-headers.js'
import { decodeTask } from '../../../src/message/decode-task.js'
import { encodeTaskV1 } from '../../../src/message/encode-task-v1.js'
import { encodeTask } from '../../../src/message/encode-task.js'
import type { Message } from '../../../src/message/message.js'
import type { OutgoingTask, TaskMessage } from '../../../src/message/task-message.js'
import { recordedMessages, type RecordedMessage } from './vectors.js'

const codecs = new Codecs()
await codecs.serializers.prepare(['json', 'yaml', 'msgpack'])
const accepted = codecs.serializers.accept(['json', 'yaml', 'msgpack'])

const SETS = [
  'celery-5.2.6/redis-messages',
  'celery-5.2.6/amqp-messages',
  'celery-5.6.3/redis-messages',
  'celery-5.6.3/amqp-messages',
  'celery-5.7.0/redis-messages',
  'celery-5.7.0/amqp-messages',
] as const

const hasZstd = 'zstdDecompressSync' in (await import('node:zlib'))
const UNREADABLE = ['compression-bzip2', 'compression-lzma', ...(hasZstd ? [] : ['compression-zstd'])]

/** What JavaScript cannot keep: `2.0` is written as `2`. */
const NOT_SAME_BYTES = ['rich-kwargs-json']

function outgoing(task: TaskMessage): OutgoingTask {
  return { ...task, headers: callerHeaders(task.headers), serializer: 'json' }
}

function withoutRepr(task: TaskMessage): TaskMessage {
  const { argsRepr: _args, kwargsRepr: _kwargs, ...rest } = task
  return rest
}

/** Times to the millisecond and no language, because those are ours. */
function comparable(headers: Message['headers']): [string, unknown][] {
  return Object.entries({ ...headers, lang: 'any' }).map(([name, value]) =>
    (name === 'eta' || name === 'expires') && typeof value === 'string'
      ? [name, Date.parse(value) + (/\.\d{3}0*[1-9]/.test(value) ? 1 : 0)]
      : [name, value],
  )
}

/** Python prints a tuple inside of arguments as one; JSON cannot tell it from a list. */
function printed(headers: Message['headers']): string {
  const both = `${String(headers['argsrepr'])} ${String(headers['kwargsrepr'])}`
  return both.replaceAll('(', '[').replace(/,?\)/g, ']')
}

function isPlainJson({ file, message }: RecordedMessage): boolean {
  const { headers, contentType } = message
  return 'task' in headers && contentType === 'application/json' && !file.startsWith('compression')
}

describe.each(SETS)('messages of %s', (folder) => {
  const recorded = recordedMessages(folder)
  const ofThisTime = folder.startsWith('celery-5.2') ? [] : recorded.filter(isPlainJson)

  it('are there', () => {
    expect(recorded.length).toBeGreaterThan(15)
  })

  it('are read, except pickle and the compressions that Node has not', () => {
    for (const { file, message } of recorded) {
      const read = (): TaskMessage => decodeTask(message, codecs, accepted)
      if (file === 'serializer-pickle') expect(read).toThrow(ContentDisallowedError)
      else if (UNREADABLE.includes(file)) expect(read).toThrow(DecodeError)
      else
        expect([file, read().task]).toEqual([
          file,
          expect.stringMatching(/^(proj\.tasks|celery|other\.lang)\./),
        ])
    }
  })

  it('have the fields that their headers say', () => {
    for (const { message } of recorded.filter(isPlainJson)) {
      const task = decodeTask(message, codecs, accepted)
      expect(task.id).toBe(message.headers['id'])
      expect(task.protocol).toBe(2)
      expect(task.groupId ?? null).toBe(message.headers['group'])
      expect(task.rootId).toBe(message.headers['root_id'])
    }
  })

  it('are written again in the same bytes', () => {
    for (const { file, message } of ofThisTime.filter((item) => !NOT_SAME_BYTES.includes(item.file))) {
      const again = encodeTask(outgoing(decodeTask(message, codecs, accepted)), codecs)
      expect([file, Buffer.from(again.body).toString()]).toEqual([file, Buffer.from(message.body).toString()])
      expect(again.contentType).toBe(message.contentType)
      expect(again.contentEncoding).toBe(message.contentEncoding)
    }
  })

  it('are written again with the same headers in the same order', () => {
    for (const { file, message } of ofThisTime) {
      const again = encodeTask(outgoing(decodeTask(message, codecs, accepted)), codecs)
      expect([file, comparable(again.headers)]).toEqual([file, comparable(message.headers)])
      expect(again.properties).toEqual(message.properties)
    }
  })

  it('have their arguments printed as Python prints them', () => {
    // Zones and the newer form of the cut are not ours.
    const differ = ['rich-kwargs-json', 'bytes-json', 'beat-entry', 'long-args-repr']
    for (const { file, message } of ofThisTime.filter((item) => !differ.includes(item.file))) {
      const again = encodeTask(outgoing(withoutRepr(decodeTask(message, codecs, accepted))), codecs)
      expect([file, printed(again.headers)]).toEqual([file, printed(message.headers)])
    }
  })
})

describe('messages of protocol 1', () => {
  const recorded = recordedMessages('celery-5.6.3/redis-messages').filter(({ file }) => file === 'protocol-1')

  it('are read with their callbacks and times', () => {
    for (const { message } of recorded) {
      const task = decodeTask(message, codecs, accepted)

      expect(task).toMatchObject({
        protocol: 1,
        task: 'proj.tasks.add',
        args: [5, 10],
        kwargs: {},
        retries: 0,
      })
      expect(task.embed.callbacks).toMatchObject([{ task: 'proj.tasks.mul', args: [2] }])
      expect(task.etaMs).toBe(Date.parse('2026-11-20T10:30:22.909Z'))
      expect(task.rootId).toBe(task.id)
    }
    expect(recorded).toHaveLength(1)
  })

  it('are written on request, as Celery writes them', () => {
    const [first] = recorded
    const task = first && decodeTask(first.message, codecs, accepted)
    const again = task && encodeTaskV1({ ...task, headers: {}, serializer: 'json' }, codecs)

    const times = /"eta": "[^"]*"/
    expect(
      Buffer.from(again?.body ?? '')
        .toString()
        .replace(times, ''),
    ).toBe(
      Buffer.from(first?.message.body ?? '')
        .toString()
        .replace(times, ''),
    )
    expect(again?.headers).toEqual({})
  })
})
