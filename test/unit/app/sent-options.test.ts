import { inflateSync } from 'node:zlib'

import { describe, expect, it } from '@jest/globals'

import { runWithApp } from '../../../src/cli/main.js'
import type { ConfigInput } from '../../../src/config/config.js'
import type { Message } from '../../../src/message/message.js'
import type { TaskOptions } from '../../../src/task/options.js'
import type { PreparedCall } from '../../../src/task/sender.js'
import { TestApp } from '../../../src/testing/index.js'
import { internalsOf } from '../../../src/util/internals.js'

type OwnOptions = Pick<TaskOptions, 'compression' | 'serializer' | 'expires' | 'priority'>

/** An app that keeps what it publishes. */
function noting(input: ConfigInput = {}): { readonly app: TestApp; readonly sent: PreparedCall[] } {
  const app = new TestApp(input)
  const sent: PreparedCall[] = []
  internalsOf(app).around.publish.push(async (call, next) => {
    sent.push(call)
    await next(call)
  })
  return { app, sent }
}

/** The message of a call of a task with these options. */
async function messageOf(input: ConfigInput, own: OwnOptions, call: object = {}): Promise<PreparedCall> {
  const { app, sent } = noting(input)
  await using _closed = app
  await app.task({ name: 'tasks.text', ...own }, (text: string) => text).applyAsync(['x'.repeat(500)], call)
  const [only] = sent
  if (only === undefined) throw new RangeError('nothing was sent')
  return only
}

function json(message: Message): unknown {
  return JSON.parse(Buffer.from(message.body).toString())
}

describe('what is on the wire', () => {
  it.each<[string, ConfigInput, OwnOptions, object]>([
    ['the setting taskCompression', { taskCompression: 'gzip' }, {}, {}],
    ['the task’s compression', { taskCompression: 'brotli' }, { compression: 'gzip' }, {}],
    ['the call’s compression', {}, { compression: 'brotli' }, { compression: 'gzip' }],
  ])('is compressed as %s says', async (_what, input, own, call) => {
    const { message } = (await messageOf(input, own, call)).outgoing

    // What kombu calls gzip is the format of zlib.
    expect(message.headers['compression']).toBe('application/x-gzip')
    expect(message.body.byteLength).toBeLessThan(200)
    const body: unknown = JSON.parse(inflateSync(message.body).toString())
    expect(body).toEqual([['x'.repeat(500)], {}, expect.anything()])
  })

  it('is not compressed where nothing says so', async () => {
    const { message } = (await messageOf({}, {})).outgoing

    expect(message.headers['compression']).toBeUndefined()
    expect(json(message)).toEqual([['x'.repeat(500)], {}, expect.anything()])
  })

  it.each<[string, ConfigInput, OwnOptions, object]>([
    ['the setting taskSerializer', { taskSerializer: 'yaml' }, {}, {}],
    ['the task’s serializer', {}, { serializer: 'yaml' }, {}],
    ['the call’s serializer', {}, { serializer: 'json' }, { serializer: 'yaml' }],
  ])('is written as %s says', async (_what, input, own, call) => {
    const { message } = (await messageOf(input, own, call)).outgoing

    expect(message.contentType).toBe('application/x-yaml')
    expect(() => json(message)).toThrow()
  })

  it.each<[string, OwnOptions, object]>([
    ['the task', { expires: { hours: 1 } }, {}],
    ['the call', { expires: { days: 9 } }, { expires: { hours: 1 } }],
  ])('expires when %s says so', async (_what, own, call) => {
    const before = Date.now()
    const { message } = (await messageOf({}, own, call)).outgoing
    const after = Date.now()
    const expiresMs = Date.parse(String(message.headers['expires']))

    expect(expiresMs).toBeGreaterThanOrEqual(before + 3_600_000)
    expect(expiresMs).toBeLessThanOrEqual(after + 3_600_000)
  })

  it.each<[number | undefined, ConfigInput, OwnOptions, object]>([
    [undefined, {}, {}, {}],
    [4, { taskDefaultPriority: 4 }, {}, {}],
    [5, { taskDefaultPriority: 4 }, { priority: 5 }, {}],
    [6, { taskDefaultPriority: 4 }, { priority: 5 }, { priority: 6 }],
  ])('has the priority %s: the setting, the task or the call', async (priority, input, own, call) => {
    expect((await messageOf(input, own, call)).outgoing.message.properties.priority).toBe(priority)
  })

  it.each([
    [1, false],
    [2, undefined],
  ] as const)('is kept over a restart or not, taskDefaultDeliveryMode: %s', async (mode, persistent) => {
    const { message } = (await messageOf({ taskDefaultDeliveryMode: mode }, {})).outgoing

    expect(message.properties.persistent).toBe(persistent)
  })
})

describe('the number of arguments', () => {
  it('is checked unless strictTyping is off, and always where the task says typing', async () => {
    const send = async (strictTyping: boolean, own: { readonly typing?: boolean }): Promise<unknown> => {
      await using app = new TestApp({ strictTyping })
      const task = app.task({ name: 'tasks.pair', ...own }, (a: number, b: number) => a + b)
      return await app.sendTask(task.name, { args: [1] }).then(
        () => 'sent',
        (error: unknown) => (error as Error).name,
      )
    }

    expect(await send(true, {})).toBe('TaskArgumentsError')
    expect(await send(false, {})).toBe('sent')
    expect(await send(false, { typing: true })).toBe('TaskArgumentsError')
  })
})

describe('lovage call', () => {
  it('sends with --eta, --expires and --serializer', async () => {
    const { app, sent } = noting()
    const words = [
      '--eta',
      '2040-01-31T12:00:00Z',
      '--expires',
      '2040-02-01T00:00:00Z',
      '--serializer',
      'yaml',
    ]

    const code = await runWithApp(app, ['call', 'tasks.far', '-a', '[1]', '--quiet', ...words])

    expect(code).toBe(0)
    expect(sent).toMatchObject([
      {
        outgoing: {
          notBeforeMs: Date.UTC(2040, 0, 31, 12),
          message: {
            contentType: 'application/x-yaml',
            headers: { eta: '2040-01-31T12:00:00.000000+00:00', expires: '2040-02-01T00:00:00.000000+00:00' },
          },
        },
      },
    ])
  })
})
