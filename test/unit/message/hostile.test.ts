import { afterAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DecodeError, MessageError } from '../../../src/errors/errors.js'
import { Codecs } from '../../../src/message/codecs.js'
import { decodeTask } from '../../../src/message/decode-task.js'
import { describeError } from '../../../src/message/error/describe-error.js'
import { ErrorRegistry } from '../../../src/message/error/error-registry.js'
import { parseIsoTime } from '../../../src/message/serializer/iso-time.js'
import { readJson } from '../../../src/message/serializer/json-reader.js'
import { writeJson } from '../../../src/message/serializer/json-writer.js'
import type { Message } from '../../../src/message/message.js'
import { argsRepr } from '../../../src/message/python-repr.js'
import { rebuildError } from '../../../src/message/error/rebuild-error.js'

const codecs = new Codecs()
await codecs.serializers.prepare(['yaml', 'msgpack'])
const accepted = codecs.serializers.accept(['json', 'yaml', 'msgpack'])

const objectMembers = Object.getOwnPropertyNames(Object.prototype).join()
const arrayMembers = Object.getOwnPropertyNames(Array.prototype).join()

afterAll(() => {
  // Nothing that was read may have reached a prototype.
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(objectMembers)
  expect(Object.getOwnPropertyNames(Array.prototype).join()).toBe(arrayMembers)
})

function message(
  headers: Record<string, unknown>,
  body: Uint8Array,
  contentType = 'application/json',
): Message {
  return { body, contentType, contentEncoding: 'utf-8', headers, properties: {} }
}

/** Decodes; anything but a value or one of the three typed errors fails the test. */
function survives(bad: Message): void {
  try {
    const task = decodeTask(bad, codecs, accepted)
    argsRepr(task.args)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
  }
}

const NASTY_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  '__type__',
  '__value__',
  'toString',
  'toJSON',
  'hex',
  'length',
]
const HEADERS = [
  ...['task', 'id', 'eta', 'expires', 'group', 'group_index', 'retries', 'timelimit', 'root_id', 'parent_id'],
  ...['shadow', 'argsrepr', 'origin', 'ignore_result', 'stamped_headers', 'stamps', 'compression'],
  ...[
    'replaced_task_nesting',
    'args',
    'kwargs',
    'callbacks',
    'errbacks',
    'chain',
    'chord',
    'taskset',
    'utc',
    'options',
  ],
]

const { tree } = fc.letrec<{ tree: unknown; record: Record<string, unknown> }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, true, -1, 1e300, '', 'gzip', 'json', '2030-01-01', 'x', 3, [null, null]),
    fc.string(),
    fc.double(),
    fc.array(tie('tree'), { maxLength: 4 }),
    tie('record'),
  ),
  record: fc
    .array(fc.tuple(fc.constantFrom(...NASTY_KEYS, ...HEADERS), tie('tree')), { maxLength: 6 })
    .map((entries) => Object.fromEntries(entries)),
}))

const headers = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(fc.constantFrom(...HEADERS), tree), { maxLength: 6 }))
  .map(
    ([named, entries]) =>
      Object.fromEntries([
        ...(named
          ? [
              ['task', 'a'],
              ['id', 'b'],
            ]
          : []),
        ...entries,
      ]) as Record<string, unknown>,
  )

describe('hostile input ends in a typed error', () => {
  it('random bytes', () => {
    const type = fc.constantFrom('application/json', 'application/x-yaml', 'application/x-msgpack', 'x')
    fc.assert(
      fc.property(headers, fc.uint8Array(), type, (given, body, contentType) => {
        survives(message(given, body, contentType))
      }),
      { numRuns: 2000 },
    )
  })

  it('random JSON in headers and body', () => {
    const body = fc.oneof(tree, fc.tuple(fc.array(tree), fc.dictionary(fc.string(), tree), tree))
    fc.assert(
      fc.property(headers, body, (given, value) => {
        survives(message(given, Buffer.from(JSON.stringify(value) ?? '')))
      }),
      { numRuns: 4000 },
    )
  })

  it('100,000 damaged messages', () => {
    const body = Buffer.from(
      '[[5, {"__type__": "datetime", "__value__": "2024-02-29T12:30:45.123456+00:00"}, 12345678901234567890], ' +
        '{"a": [NaN, {"__type__": "base64", "__value__": "AP8="}]}, {"callbacks": [{"task": "b"}], "chain": null}]',
    )
    let state = 42
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const frames = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    for (let count = 0; count < 100_000; count += 1) {
      const damaged = Buffer.from(body)
      for (let edits = random(4); edits >= 0; edits -= 1) damaged[random(damaged.length)] = random(256)
      const length = random(8) === 0 ? random(damaged.length) : damaged.length
      const bad = message({ task: 'a', id: 'b' }, damaged.subarray(0, length))
      try {
        decodeTask(bad, codecs, accepted)
      } catch (error) {
        if (!(error instanceof MessageError)) throw error
      }
    }
    Error.stackTraceLimit = frames
  })

  it('random text as JSON and as a time', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        parseIsoTime(text)
        try {
          readJson(text)
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('anything as the description of an error', () => {
    const registry = new ErrorRegistry()
    fc.assert(
      fc.property(fc.anything(), tree, (thrown, description) => {
        expect(rebuildError(description, { taskId: 'x', traceback: undefined, registry })).toBeInstanceOf(
          Error,
        )
        writeJson(describeError(thrown, registry))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('what is written is read again', () => {
  const safe = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__'))

  it('any JSON value, by us and by JSON.parse', () => {
    fc.assert(
      fc.property(safe, (value) => {
        const json = writeJson(value)
        expect(readJson(json)).toEqual(value)
        expect(JSON.parse(json)).toEqual(value)
      }),
      { numRuns: 2000 },
    )
  })

  it('any number and integer', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.bigInt(), (number, integer) => {
        expect(readJson(writeJson(number))).toBe(number)
        const read = readJson(writeJson(integer))
        expect(typeof read === 'number' ? BigInt(read) : read).toBe(integer)
      }),
      { numRuns: 5000 },
    )
  })

  it('any text, in ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = writeJson(text)
        expect(json).toMatch(/^[ -~]*$/)
        expect(readJson(json)).toBe(text)
      }),
      { numRuns: 3000 },
    )
  })

  it('any bytes and dates', () => {
    const date = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(fc.uint8Array(), date, (bytes, moment) => {
        expect(readJson(writeJson({ bytes, moment }))).toEqual({ bytes: Buffer.from(bytes), moment })
      }),
      { numRuns: 2000 },
    )
  })
})
