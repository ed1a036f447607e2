import { hostname } from 'node:os'
import { describe, expect, it } from '@jest/globals'
import {
  ConfigError,
  ContentDisallowedError,
  DecodeError,
  EncodeError,
  MessageError,
} from '../../../src/errors/errors.js'
import { Codecs } from '../../../src/message/codecs.js'
import { callerHeaders } from '../../../src/message/caller-headers.js'
import { decodeTask } from '../../../src/message/decode-task.js'
import { EMPTY_EMBED } from '../../../src/message/embed.js'
import { encodeTask } from '../../../src/message/encode-task.js'
import type { Message } from '../../../src/message/message.js'
import type { OutgoingTask, TaskMessage } from '../../../src/message/task-message.js'

const codecs = new Codecs()
const accepted = codecs.serializers.accept(['json'])

const TASK: OutgoingTask = {
  id: 'id-1',
  task: 'tasks.add',
  args: [5, 10],
  kwargs: {},
  embed: EMPTY_EMBED,
  retries: 0,
  rootId: 'id-1',
  replacedTaskNesting: 0,
  stamps: {},
  properties: {},
  serializer: 'json',
}

function wire(headers: Record<string, unknown>, body: unknown): Message {
  return {
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers,
    properties: {},
  }
}

function decode(headers: Record<string, unknown>, body: unknown): TaskMessage {
  return decodeTask(wire(headers, body), codecs, accepted)
}

const NAMED = { task: 'tasks.add', id: 'id-1' }

describe('encodeTask', () => {
  it('writes the smallest call as Celery does', () => {
    const message = encodeTask(TASK, codecs)

    expect(Buffer.from(message.body).toString()).toBe(
      '[[5, 10], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]',
    )
    expect(JSON.stringify(message.headers)).toBe(
      JSON.stringify({
        lang: 'js',
        task: 'tasks.add',
        id: 'id-1',
        shadow: null,
        eta: null,
        expires: null,
        group: null,
        group_index: null,
        retries: 0,
        timelimit: [null, null],
        root_id: 'id-1',
        parent_id: null,
        argsrepr: '(5, 10)',
        kwargsrepr: '{}',
        origin: `gen${process.pid}@${hostname()}`,
        ignore_result: null,
        replaced_task_nesting: 0,
        stamped_headers: null,
        stamps: {},
      }),
    )
    expect(message.properties).toEqual({ correlationId: 'id-1' })
  })

  it('writes times in UTC with six digits, and counts expiration from now', () => {
    const nowMs = Date.UTC(2030, 0, 1)
    const task = { ...TASK, etaMs: nowMs + 1, expiresMs: nowMs + 1500 }
    const message = encodeTask(task, codecs, nowMs)

    expect(message.headers).toMatchObject({
      eta: '2030-01-01T00:00:00.001000+00:00',
      expires: '2030-01-01T00:00:01.500000+00:00',
    })
    expect(message.properties.expirationMs).toBe(1500)
    expect(encodeTask(task, codecs, nowMs + 5000).properties.expirationMs).toBe(0)
  })

  it('writes limits in seconds, the hard one first', () => {
    const message = encodeTask({ ...TASK, timeLimitMs: 30_000, softTimeLimitMs: 1500 }, codecs)

    expect(message.headers['timelimit']).toEqual([30, 1.5])
  })

  it('lets printed arguments hide secrets', () => {
    const message = encodeTask({ ...TASK, argsRepr: '(***)', kwargsRepr: '{***}' }, codecs)

    expect(message.headers).toMatchObject({ argsrepr: '(***)', kwargsrepr: '{***}' })
  })

  it('merges the caller’s headers at the end, and refuses those that name the task', () => {
    const message = encodeTask({ ...TASK, headers: { tenant: 'a', n: 7 } }, codecs)

    expect(Object.keys(message.headers).slice(-3)).toEqual(['stamps', 'tenant', 'n'])
    expect(callerHeaders(message.headers)).toEqual({ tenant: 'a', n: 7 })
    expect(() => encodeTask({ ...TASK, headers: { id: 'x' } }, codecs)).toThrow(EncodeError)
  })

  it('does not count what a worker wrote onto a waiting message as the caller’s', () => {
    const marks = { 'lovage-unknown-since': 1, 'lovage-unknown-times': 2, 'lovage-dead-reason': 'failed' }

    expect(callerHeaders({ ...marks, 'lovage-own': 'kept' })).toEqual({ 'lovage-own': 'kept' })
  })

  it.each([
    ['args[1].socket', { args: [1, { socket: () => 1 }] }],
    ['kwargs.when', { kwargs: { when: Number.NaN } }],
    ['headers.trace', { headers: { trace: new Map() } }],
  ])('names the path of what cannot be written: %s', (path, change) => {
    expect(() => encodeTask({ ...TASK, ...change }, codecs)).toThrow(EncodeError)
    expect(() => encodeTask({ ...TASK, ...change }, codecs)).toThrow(path)
  })

  it('refuses a time that no calendar has', () => {
    expect(() => encodeTask({ ...TASK, etaMs: 8.64e15 }, codecs)).toThrow(EncodeError)
  })

  it('refuses a serializer or compressor it does not know', () => {
    expect(() => encodeTask({ ...TASK, serializer: 'jsom' }, codecs)).toThrow(/did you mean "json"/)
    expect(() => encodeTask({ ...TASK, compression: 'bzip2' }, codecs)).toThrow(/Node has no bzip2/)
  })

  it('comes back as it was', () => {
    const full: OutgoingTask = {
      ...TASK,
      shadow: 'shown',
      etaMs: 1000,
      expiresMs: 2000,
      groupId: 'g',
      groupIndex: 3,
      timeLimitMs: 1000,
      softTimeLimitMs: 500,
      parentId: 'p',
      ignoreResult: true,
      stampedHeaders: ['tenant'],
      stamps: { tenant: 'a' },
      retries: 2,
      compression: 'gzip',
    }
    const { serializer: _serializer, compression: _compression, properties: _properties, ...fields } = full

    const task = decodeTask(encodeTask(full, codecs, 0), codecs, accepted)

    expect(task).toMatchObject({ ...fields, protocol: 2, compression: 'application/x-gzip' })
    expect(task.properties).toEqual({ correlationId: 'id-1', expirationMs: 2000 })
  })
})

describe('decodeTask', () => {
  it.each([
    ['only task and id', NAMED, [[1], {}, {}]],
    ['a null embed', NAMED, [[1], {}, null]],
    [
      'null in every header',
      { ...NAMED, retries: null, timelimit: null, stamps: null, eta: null },
      [[1], {}, {}],
    ],
    ['limits of null', { ...NAMED, timelimit: [null, null] }, [[1], {}, {}]],
    ['an empty eta', { ...NAMED, eta: '', expires: '' }, [[1], {}, {}]],
    ['no kwargs', NAMED, [[1], null, {}]],
    ['the empty arrays of PHP', { ...NAMED, stamps: [], timelimit: [] }, [[1], [], []]],
    [
      'empty objects and texts where nothing is meant',
      { ...NAMED, compression: '', timelimit: '', root_id: '', group: '' },
      [[1], {}, { callbacks: {}, errbacks: '', chain: [], chord: {} }],
    ],
    ['limits of 0', { ...NAMED, timelimit: [0, 0] }, [[1], {}, {}]],
    [
      'other types in what only describes the task',
      { ...NAMED, retries: 'none', root_id: 5, parent_id: [], group: {}, group_index: '-', stamps: 'x' },
      [[1], {}, {}],
    ],
    ['headers it does not know', { ...NAMED, 'x-death': [{ count: 1 }], meth: 'x' }, [[1], {}, {}]],
  ])('is as tolerant as Python: %s', (_name, headers, body) => {
    expect(decode(headers, body)).toMatchObject({
      id: 'id-1',
      task: 'tasks.add',
      args: [1],
      kwargs: {},
      embed: EMPTY_EMBED,
      retries: 0,
      rootId: 'id-1',
      replacedTaskNesting: 0,
      stamps: {},
    })
    expect(decode(headers, body)).not.toHaveProperty('timeLimitMs')
  })

  it('reads numbers where clients write them otherwise', () => {
    expect(decode({ task: 't', id: 3, retries: '2' }, [[], {}, {}])).toMatchObject({ id: '3', retries: 2 })
  })

  it.each([
    ['a body of two', NAMED, [[], {}]],
    ['a body of four', NAMED, [[], {}, {}, {}]],
    ['a body that is a text', NAMED, '"x"'],
    ['an object without args', NAMED, {}],
    ['kwargs that are an array', NAMED, [[], [1], {}]],
    ['args that are an object', NAMED, [{}, {}, {}]],
    ['an embed that is a text', NAMED, [[], {}, 'x']],
    ['a callback without a task', NAMED, [[], {}, { callbacks: [{}] }]],
    ['a chord that is a number', NAMED, [[], {}, { chord: 1 }]],
    ['an eta that is no time', { ...NAMED, eta: 'tomorrow' }, [[], {}, {}]],
    ['an eta that is a number', { ...NAMED, eta: 1893553445 }, [[], {}, {}]],
    ['expires that is an object', { ...NAMED, expires: { toString: 1 } }, [[], {}, {}]],
    ['limits that are a number', { ...NAMED, timelimit: 3 }, [[], {}, {}]],
    ['no id', { task: 't' }, [[], {}, {}]],
    ['a null task', { task: null, id: 'x' }, [[], {}, {}]],
    ['an array without a task header', {}, [[], {}, {}]],
    ['an object without a task', {}, { id: 'x' }],
    ['a compression that is a number', { ...NAMED, compression: 3 }, [[], {}, {}]],
  ])('refuses with a MessageError: %s', (_name, headers, body) => {
    expect(() => decode(headers, body)).toThrow(MessageError)
  })

  it.each([
    ['bytes that are no JSON', NAMED, '[[1], {'],
    ['an unknown type', NAMED, '[[{"__type__": "x", "__value__": 1}], {}, {}]'],
    ['an unknown compression', { ...NAMED, compression: 'application/x-rot13' }, [[], {}, {}]],
    ['damaged compression', { ...NAMED, compression: 'gzip' }, [[], {}, {}]],
  ])('refuses with a DecodeError: %s', (_name, headers, body) => {
    expect(() => decode(headers, body)).toThrow(DecodeError)
  })

  it('refuses bytes that are not UTF-8', () => {
    const message = { ...wire(NAMED, ''), body: Buffer.from([0x22, 0xff, 0x22]) }

    expect(() => decodeTask(message, codecs, accepted)).toThrow(DecodeError)
  })

  it.each([
    ['application/x-python-serialize'],
    ['application/x-yaml'],
    ['application/data'],
    ['text/plain'],
    [''],
  ])('refuses content of type "%s" before looking at it', (contentType) => {
    const message = { ...wire({ ...NAMED, compression: 'gzip' }, 'junk'), contentType }

    expect(() => decodeTask(message, codecs, accepted)).toThrow(ContentDisallowedError)
  })

  it('fills in what a callback leaves out, and keeps what it does not know', () => {
    const { embed } = decode(NAMED, [[], {}, { callbacks: [{ task: 'next', stamp: 1 }] }])

    expect(embed.callbacks).toEqual([{ task: 'next', args: [], kwargs: {}, options: {}, stamp: 1 }])
  })

  it('never starts before its time', () => {
    expect(decode({ ...NAMED, eta: '2030-01-01T00:00:00.000001Z' }, [[], {}, {}]).etaMs).toBe(
      Date.UTC(2030, 0, 1) + 1,
    )
  })

  it('reads the mixture of both protocols, headers first', () => {
    const body = {
      task: 'other',
      id: 'other',
      args: [1],
      kwargs: { a: 1 },
      retries: 1,
      callbacks: [{ task: 'next' }],
    }

    expect(decode({ ...NAMED, retries: 2 }, body)).toMatchObject({
      protocol: 2,
      id: 'id-1',
      task: 'tasks.add',
      args: [1],
      kwargs: { a: 1 },
      retries: 2,
      embed: { callbacks: [{ task: 'next' }], chain: null },
    })
  })

  it('reads protocol 1 with local times where it says so', () => {
    const body = { ...NAMED, taskset: 'set', group: 'other', eta: '2030-06-01T12:00:00', utc: false }

    expect(decode({}, body)).toMatchObject({
      protocol: 1,
      args: [],
      kwargs: {},
      groupId: 'set',
      etaMs: new Date(2030, 5, 1, 12).getTime(),
    })
    expect(decode({}, { ...body, utc: true }).etaMs).toBe(Date.UTC(2030, 5, 1, 12))
  })
})

describe('accepted content', () => {
  it('is named by serializer or MIME type', () => {
    expect([...codecs.serializers.accept(['json', 'application/x-yaml', 'msgpack'])]).toEqual([
      'application/json',
      'application/x-yaml',
      'application/x-msgpack',
    ])
  })

  it.each([['pickle'], ['application/x-python-serialize']])('can never be %s', (name) => {
    expect(() => codecs.serializers.accept(['json', name])).toThrow(ConfigError)
    expect(() => codecs.serializers.accept(['json', name])).toThrow(/can run any code/)
    expect(() => codecs.serializers.get(name)).toThrow(ConfigError)
  })

  it('is an error when unknown', () => {
    expect(() => codecs.serializers.accept(['jsn'])).toThrow(/unknown serializer "jsn"; did you mean "json"/)
  })
})
