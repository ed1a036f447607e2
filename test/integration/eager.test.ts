import { describe, expect, it } from '@jest/globals'

import {
  EagerResult,
  EncodeError,
  Lovage,
  signature,
  TaskArgumentsError,
  type TaskRequest,
} from '../../src/index.js'
import { startWorker } from '../../src/testing/index.js'
import { randomName } from '../support/temp.js'

describe('eager calls', () => {
  it('taskAlwaysEager runs delay here, with no broker', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://', taskAlwaysEager: true })
    const add = app.task('eager.add', (x: number, y: number) => x + y)

    const result = await add.delay(1, 2)

    expect(result).toBeInstanceOf(EagerResult)
    expect([await result.get(), await result.state(), result.taskName]).toEqual([3, 'SUCCESS', 'eager.add'])
  })

  it('without it, delay goes by the broker', async () => {
    const url = `memory://${randomName()}`
    await using app = new Lovage('eager', { broker: url, backend: url })
    const add = app.task('eager.add', (x: number, y: number) => x + y)
    await using _worker = await startWorker(app)

    const result = await add.delay(1, 2)

    expect(result).not.toBeInstanceOf(EagerResult)
    expect(await result.get(5)).toBe(3)
  })

  it('the old name of the setting does the same', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://' })
    app.conf.update({ CELERY_ALWAYS_EAGER: true })
    const add = app.task('eager.add', (x: number, y: number) => x + y)

    expect(await (await add.delay(1, 2)).get()).toBe(3)
  })

  it('taskEagerPropagates throws at the call, and without it the error is in the result', async () => {
    const broken = (): number => {
      throw new RangeError('too far')
    }
    await using loud = new Lovage('eager', { taskAlwaysEager: true, taskEagerPropagates: true })
    await using quiet = new Lovage('eager', { taskAlwaysEager: true })

    await expect(loud.task('eager.broken', broken).delay()).rejects.toThrow('too far')
    const result = await quiet.task('eager.broken', broken).delay()
    expect(result.result).toBeInstanceOf(RangeError)
    await expect(result.get()).rejects.toThrow('too far')
  })

  it('apply runs one call: throw, link, retries', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://' })
    const seen: unknown[] = []
    const note = app.task('eager.note', (value: number) => void seen.push(value))
    const add = app.task('eager.add', (x: number, y: number) => x + y)
    const flaky = app.task({ name: 'eager.flaky', bind: true, maxRetries: 3 }, (self) => {
      seen.push(`try ${self.request.retries}`)
      if (self.request.retries < 2) throw self.retry()
      return self.request.isEager
    })

    await add.apply([1, 2], { link: note.s() })
    const retried = await flaky.apply([])
    const later = await flaky.apply([], { retries: 2 })

    expect(seen).toEqual([3, 'try 0', 'try 1', 'try 2', 'try 2'])
    expect([await retried.get(), await later.get()]).toEqual([true, true])
    const broken = app.task('eager.broken', () => JSON.parse('{') as unknown)
    await expect(broken.apply([], { throw: true })).rejects.toThrow(SyntaxError)
  })

  it.each(['apply', 'applyAsync'] as const)('errbacks of %s get what a worker gives them', async (how) => {
    await using app = new Lovage('eager', { broker: 'nowhere://', taskAlwaysEager: true })
    const seen: unknown[] = []
    const broken = app.task('eager.broken', () => {
      throw new RangeError('too far')
    })
    app.task('eager.full', (request: TaskRequest, error: unknown, traceback: string, label: string) => {
      seen.push([request.id, error, traceback, label])
    })
    app.task('eager.one', (id: string) => void seen.push(id))

    const linkError = [signature('eager.one'), signature('eager.full', { args: ['here'] })]
    await broken[how]([], { taskId: 'failed', linkError })

    const error = new RangeError('too far')
    expect(seen).toEqual([
      ['failed', error, expect.stringContaining('RangeError: too far'), 'here'],
      'failed',
    ])
  })

  it('arguments arrive as a worker would see them', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://' })
    const kinds = app.task(
      'eager.kinds',
      (date: unknown, item: unknown) => [date instanceof Date, item] as const,
    )
    const item = { kept: 1, dropped: undefined }

    const result = await kinds.apply([new Date(0), item])

    expect(await result.get()).toStrictEqual([true, { kept: 1 }])
  })

  it('a result arrives as a caller would read it, and fails where it could not be written', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://', taskAlwaysEager: true })
    const seen: string[] = []
    const nothing = app.task('eager.nothing', () => undefined)
    const item = app.task('eager.item', () => ({ at: new Date(0), dropped: undefined }))
    const onFailure = (): void => void seen.push('failed')
    const map = app.task({ name: 'eager.map', onFailure }, () => new Map([['x', 1]]))
    const ignored = app.task({ name: 'eager.ignored', ignoreResult: true }, () => new Map())

    expect(await (await nothing.delay()).get()).toBeNull()
    const read = await (await item.delay()).get()
    expect(read).toEqual({ at: new Date(0) })
    expect(Object.keys(read)).toEqual(['at'])
    const failed = await map.delay()
    expect(await failed.state()).toBe('FAILURE')
    await expect(failed.get()).rejects.toThrow(EncodeError)
    expect(seen).toEqual(['failed'])
    expect(await (await ignored.delay()).state()).toBe('SUCCESS')
  })

  it('what a worker refuses is refused: arguments that do not fit or cannot be written, states, retries', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://', taskAlwaysEager: true })
    const add = app.task('eager.add', (x: unknown, y: unknown) => [x, y]) as unknown as {
      delay: (...args: readonly unknown[]) => Promise<unknown>
    }
    const state = app.task({ name: 'eager.state', bind: true }, async (self) => {
      await self.updateState({ state: 'PROGRESS', meta: new Map() })
    })
    const again = app.task({ name: 'eager.again', bind: true }, (self, _value: unknown) => {
      throw self.retry({ args: [new Map()] })
    })

    await expect(add.delay(1)).rejects.toThrow(TaskArgumentsError)
    await expect(add.delay(1, new Map())).rejects.toThrow(EncodeError)
    await expect((await state.delay()).get()).rejects.toThrow(EncodeError)
    await expect((await again.delay(1)).get()).rejects.toThrow(EncodeError)
  })

  it('arguments are written by the serializer of the call, then of the task', async () => {
    await using app = new Lovage('eager', { broker: 'nowhere://', taskAlwaysEager: true })
    const echo = app.task({ name: 'eager.echo', serializer: 'msgpack' }, (value: unknown) => String(value))

    expect(await (await echo.delay(new Date(0))).get()).not.toBe(String(new Date(0)))
    expect(await (await echo.applyAsync([new Date(0)], { serializer: 'json' })).get()).toBe(
      String(new Date(0)),
    )
  })

  it('taskStoreEagerResult saves the result', async () => {
    const url = `memory://${randomName()}`
    await using app = new Lovage('eager', {
      broker: url,
      backend: url,
      taskAlwaysEager: true,
      taskStoreEagerResult: true,
    })
    const add = app.task('eager.add', (x: number, y: number) => x + y)

    const result = await add.delay(1, 2)

    expect(await app.AsyncResult(result.id).get(1)).toBe(3)
  })

  it('sendTask goes by the broker all the same, and says so', async () => {
    const url = `memory://${randomName()}`
    const warnings: string[] = []
    const ignore = (): void => undefined
    const logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (_fields: object, message: string) => void warnings.push(message),
      child: () => logger,
    }
    await using app = new Lovage('eager', { broker: url, backend: url, taskAlwaysEager: true }, { logger })
    app.task('eager.add', (x: number, y: number) => x + y)

    const result = await app.sendTask('eager.add', { args: [1, 2] })

    expect(result).not.toBeInstanceOf(EagerResult)
    expect(warnings.join()).toMatch(/eager/)
  })
})
