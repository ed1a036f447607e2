import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'

import { EncodeError, TaskArgumentsError } from '../../../src/errors/errors.js'
import { performTask, TestApp } from '../../../src/testing/index.js'

describe('performing a task', () => {
  it('runs the body and gives its value, without a broker', async () => {
    const app = new TestApp({ broker: 'nowhere://' })
    const add = app.task('tests.add', (x: number, y: number) => x + y)

    expect(await (await performTask(add, [1, 2])).get()).toBe(3)
  })

  it('gives what a caller would get: a value that went through the serializer', async () => {
    const app = new TestApp()
    const find = app.task('tests.find', () => ({ name: 'tea', price: undefined }))

    expect(await (await performTask(find, [])).get()).toStrictEqual({ name: 'tea' })
  })

  it('fails for a result that cannot be written', async () => {
    const app = new TestApp()
    const bad = app.task('tests.bad', () => ({ handler: () => 1 }))

    const failed = await performTask(bad, [])

    expect(await failed.state()).toBe('FAILURE')
    await expect(failed.get()).rejects.toThrow(EncodeError)
  })

  it('fails for arguments that cannot be written', async () => {
    const app = new TestApp()
    const call = app.task('tests.call', (fn: () => number) => fn())

    await expect(performTask(call, [() => 1])).rejects.toThrow(EncodeError)
  })

  it('checks the schema', async () => {
    const app = new TestApp()
    const area = app.task(
      { name: 'tests.area', args: z.tuple([z.number().positive()]) },
      (side: number) => side ** 2,
    )

    const refused = await performTask(area, [-1])

    expect(await refused.get({ propagate: false })).toBeInstanceOf(TaskArgumentsError)
  })

  it('calls the handlers and follows the retry rules to the end', async () => {
    const app = new TestApp()
    const seen: string[] = []
    const flaky = app.task(
      {
        name: 'tests.flaky',
        bind: true,
        maxRetries: 2,
        beforeStart: () => void seen.push('beforeStart'),
        onRetry: () => void seen.push('onRetry'),
        onFailure: () => void seen.push('onFailure'),
      },
      (self): number => {
        throw self.retry({ exc: new RangeError('never works') })
      },
    )

    const result = await performTask(flaky, [])

    await expect(result.get()).rejects.toThrow('never works')
    expect(seen).toEqual([
      ...['beforeStart', 'onRetry', 'beforeStart', 'onRetry'],
      ...['beforeStart', 'onFailure'],
    ])
  })

  it('tells how many retries it took', async () => {
    const app = new TestApp()
    const flaky = app.task({ name: 'tests.flaky', bind: true, maxRetries: 3 }, (self) => {
      if (self.request.retries < 2) throw self.retry()
      return 'at last'
    })

    const result = await performTask(flaky, [])

    expect([await result.get(), await result.retries()]).toEqual(['at last', 2])
  })
})
