import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'

import { Ignore, Reject, Retry } from '../../../src/errors/directives.js'
import { currentTask, type TaskContext } from '../../../src/task/context.js'
import { runHandlers } from '../../../src/task/execute.js'
import { silentLogger } from '../../../src/task/logger.js'
import { definitionOf, execute, requestWith } from './support.js'

class GatewayError extends Error {}
class FatalGatewayError extends GatewayError {}

describe('a body', () => {
  it('succeeds with what it returns, or what its promise holds', async () => {
    expect(await execute({}, () => 3)).toMatchObject({ kind: 'success', value: 3 })
    expect(await execute({}, async () => 4)).toMatchObject({ kind: 'success', value: 4 })
  })

  it('gets its context first when it is bound', async () => {
    const outcome = await execute({ bind: true }, (self: TaskContext) => self.request.id)

    expect(outcome).toMatchObject({ kind: 'success', value: 'id-1' })
  })

  it('is found by helpers after awaits, each run its own', async () => {
    const helper = async (): Promise<string | undefined> => {
      await Promise.resolve()
      return currentTask()?.request.id
    }

    const ids = ['a', 'b', 'c'].map((id) => execute({}, helper, { id }))

    expect(await Promise.all(ids)).toMatchObject([{ value: 'a' }, { value: 'b' }, { value: 'c' }])
  })

  it('is not run when its arguments do not fit, and is not retried for it', async () => {
    let runs = 0
    const outcome = await execute({ autoretryFor: [Error] }, (x: number) => (runs += x), { args: [] })

    expect(outcome).toMatchObject({
      kind: 'failure',
      failure: { exception: { exc_module: 'builtins', exc_type: 'TypeError' } },
    })
    expect(runs).toBe(0)
  })
})

describe('a schema, in the worker', () => {
  const area = { args: z.tuple([z.number().positive()]), result: z.number().max(50) }
  const double = (x: number): number => 2 * x

  it('fails the task whose arguments do not fit, without running it', async () => {
    let runs = 0
    const outcome = await execute(area, (x: number) => (runs += x), { args: [-1] })

    expect(outcome).toMatchObject({ kind: 'failure', failure: { exception: { exc_type: 'TypeError' } } })
    expect(runs).toBe(0)
  })

  it('fails the task whose result does not fit', async () => {
    expect(await execute(area, double, { args: [25] })).toMatchObject({ kind: 'success', value: 50 })
    expect(await execute(area, double, { args: [26] })).toMatchObject({
      kind: 'failure',
      failure: { message: expect.stringContaining('the result of tests.body') },
    })
  })
})

describe('a failure', () => {
  it('is described as Celery stores it', async () => {
    const outcome = await execute({}, () => {
      throw new GatewayError('no answer')
    })

    expect(outcome).toMatchObject({
      kind: 'failure',
      expected: false,
      failure: {
        exception: { exc_type: 'GatewayError', exc_message: ['no answer'] },
        message: 'GatewayError: no answer',
      },
    })
  })

  it('is expected when throws names it', async () => {
    const outcome = await execute({ throws: [GatewayError] }, () => {
      throw new FatalGatewayError('gone')
    })

    expect(outcome).toMatchObject({ kind: 'failure', expected: true })
  })

  it('may be anything, not only an Error', async () => {
    const outcome = await execute({}, () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what user code may do
      throw 'text'
    })

    expect(outcome).toMatchObject({ kind: 'failure', failure: { exception: { exc_message: ['text'] } } })
  })
})

describe('user code that decides on an error', () => {
  const fail = (): never => {
    throw new GatewayError('first')
  }
  const broken = (): never => {
    throw new GatewayError('in the matcher')
  }

  it.each([
    [{ autoretryFor: [broken] }],
    [{ throws: [broken] }],
    [{ autoretryFor: [Error], defaultRetryDelay: -1 }],
  ])('may throw itself, and the run still has an outcome: %j', async (options) => {
    await expect(execute(options, fail)).resolves.toHaveProperty('kind')
  })

  it('may throw from the getters of an error', async () => {
    const outcome = await execute({}, () => {
      throw Object.defineProperty(new GatewayError('x'), 'message', { get: broken })
    })

    expect(outcome).toMatchObject({ kind: 'failure' })
  })
})

describe('a retry', () => {
  const again = (self: TaskContext): never => {
    throw self.retry({ countdown: 5, exc: new GatewayError('busy') })
  }

  it('is granted while tries are left', async () => {
    expect(await execute({ bind: true }, again, { retries: 2 })).toMatchObject({
      kind: 'retry',
      retry: { countdownMs: 5000, failure: { message: 'GatewayError: busy' } },
    })
  })

  it('fails with its cause when they are used up', async () => {
    expect(await execute({ bind: true }, again, { retries: 3 })).toMatchObject({
      kind: 'failure',
      failure: { exception: { exc_type: 'GatewayError' } },
    })
  })

  it('without a cause fails with MaxRetriesExceededError, and waits three minutes by default', async () => {
    const plain = (): never => {
      throw new Retry()
    }

    expect(await execute({}, plain)).toMatchObject({ kind: 'retry', retry: { countdownMs: 180_000 } })
    expect(await execute({ maxRetries: 0 }, plain)).toMatchObject({
      kind: 'failure',
      failure: { exception: { exc_type: 'MaxRetriesExceededError', exc_module: 'celery.exceptions' } },
    })
  })

  it('has no limit with maxRetries Infinity', async () => {
    const outcome = await execute({ bind: true, maxRetries: Infinity }, again, { retries: 1_000_000 })

    expect(outcome.kind).toBe('retry')
  })
})

describe('an automatic retry', () => {
  const fail = (): never => {
    throw new FatalGatewayError('no answer')
  }

  it.each([
    [0, 1000],
    [1, 2000],
    [3, 8000],
    [20, 600_000],
  ])('after %d retries waits %d ms with back-off', async (retries, countdownMs) => {
    const options = { autoretryFor: [GatewayError], retryBackoff: true, retryJitter: false, maxRetries: 50 }

    expect(await execute(options, fail, { retries })).toMatchObject({ kind: 'retry', retry: { countdownMs } })
  })

  it('by itself has the limit and the delay of retryKwargs', async () => {
    const options = {
      autoretryFor: [GatewayError],
      maxRetries: 1,
      retryKwargs: { maxRetries: 2, countdown: { minutes: 1 } },
    }

    expect(await execute(options, fail, { retries: 1 })).toMatchObject({
      kind: 'retry',
      retry: { countdownMs: 60_000 },
    })
    expect(await execute(options, fail, { retries: 2 })).toMatchObject({ kind: 'failure' })
  })

  it('draws from zero to the back-off with jitter', async () => {
    const options = { autoretryFor: ['GatewayError'], retryBackoff: 10, maxRetries: 50 }
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => execute(options, fail, { retries: 1 })),
    )
    const delays = outcomes.map((outcome) =>
      outcome.kind === 'retry' ? outcome.retry.countdownMs : undefined,
    )

    expect(delays.every((delay) => delay !== undefined && delay >= 0 && delay <= 20_000)).toBe(true)
    expect(new Set(delays).size).toBeGreaterThan(10)
  })

  it.each([
    ['a class', { dontAutoretryFor: [FatalGatewayError] }],
    ['a name', { dontAutoretryFor: ['FatalGatewayError'] }],
    ['a predicate', { dontAutoretryFor: [(error: unknown) => error instanceof FatalGatewayError] }],
  ])('is refused by %s in dontAutoretryFor', async (_, options) => {
    expect(await execute({ autoretryFor: [GatewayError], ...options }, fail)).toMatchObject({
      kind: 'failure',
    })
  })

  it('ends with the error itself when the tries are used up', async () => {
    const outcome = await execute({ autoretryFor: [GatewayError] }, fail, { retries: 3 })

    expect(outcome).toMatchObject({ kind: 'failure', failure: { message: 'FatalGatewayError: no answer' } })
  })

  it('leaves Ignore and Reject alone', async () => {
    const options = { autoretryFor: [() => true] }
    const ignore = await execute(options, () => {
      throw new Ignore('done elsewhere')
    })
    const reject = await execute(options, () => {
      throw new Reject('no', true)
    })

    expect(ignore).toMatchObject({ kind: 'ignore', reason: 'done elsewhere' })
    expect(reject).toMatchObject({ kind: 'reject', reason: 'no', requeue: true })
  })
})

describe('handlers', () => {
  const calls: string[] = []
  const note = (name: string) => (): void => {
    calls.push(name)
  }
  const handlers = {
    onSuccess: note('onSuccess'),
    onRetry: note('onRetry'),
    onFailure: note('onFailure'),
    afterReturn: note('afterReturn'),
  }
  const failure = {
    exception: { exc_type: 'E', exc_message: [], exc_module: 'm' },
    traceback: '',
    message: 'E: ',
  }

  it.each([
    [{ kind: 'success', value: 1, children: [] } as const, ['onSuccess', 'afterReturn']],
    [{ kind: 'failure', failure, expected: false, children: [] } as const, ['onFailure', 'afterReturn']],
    [{ kind: 'retry', retry: { failure }, children: [] } as const, ['onRetry']],
    [{ kind: 'ignore', reason: undefined, children: [] } as const, []],
  ])('are called for %j', async (outcome, expected) => {
    calls.length = 0
    await runHandlers(
      definitionOf(handlers, () => 1),
      requestWith(),
      outcome,
      silentLogger,
    )

    expect(calls).toEqual(expected)
  })

  it('that fail do not keep the next one from being called', async () => {
    calls.length = 0
    const onSuccess = (): never => {
      throw new GatewayError('in the handler')
    }
    const definition = definitionOf({ ...handlers, onSuccess }, () => 1)
    await runHandlers(definition, requestWith(), { kind: 'success', value: 1, children: [] }, silentLogger)

    expect(calls).toEqual(['afterReturn'])
  })

  it('before the start may fail the task', async () => {
    const outcome = await execute(
      { beforeStart: () => Promise.reject(new GatewayError('not today')) },
      () => 1,
    )

    expect(outcome).toMatchObject({ kind: 'failure', failure: { message: 'GatewayError: not today' } })
  })
})
