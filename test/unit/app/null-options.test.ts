import { describe, expect, it } from '@jest/globals'
import { Lovage } from '../../../src/index.js'
import type { CallOptions } from '../../../src/task/call-options.js'
import type { TaskOptions } from '../../../src/task/options.js'
import { allEnqueued, startWorker, TestApp } from '../../../src/testing/index.js'

/** Every option of a call as JavaScript and JSON say that there is none. */
const NULLS = Object.fromEntries(
  [
    'countdown',
    'eta',
    'expires',
    'taskId',
    'queue',
    'exchange',
    'routingKey',
    'priority',
    'headers',
    'link',
    'linkError',
    'serializer',
    'compression',
    'retry',
    'retryPolicy',
    'ignoreResult',
    'timeLimit',
    'softTimeLimit',
    'shadow',
    'argsRepr',
    'kwargsRepr',
    'replyTo',
    'persistent',
    'properties',
    'rootId',
    'parentId',
    'addToParent',
    'groupId',
    'groupIndex',
    'stamps',
    'delay',
  ].map((option) => [option, null]),
) as unknown as Required<CallOptions>

/** Header values that differ from call to call. */
function comparable(headers: Readonly<Record<string, unknown>>): object {
  const { id: _id, root_id: _root, ...rest } = headers
  return rest
}

describe('an option of a call that is null', () => {
  it('is not given: the message is the same as without it', async () => {
    await using app = new TestApp()
    const task = app.task('nulls.task', () => undefined)

    await task.applyAsync([], NULLS)
    await task.applyAsync([])
    await app.sendTask('nulls.task', { ...NULLS, kwargs: null as unknown as Record<string, unknown> })
    await task.bulk([[]], NULLS)

    const [given, left, sent, bulk] = allEnqueued(app).map(({ headers }) => comparable(headers))
    expect(given).toEqual(left)
    expect(sent).toEqual(left)
    expect(bulk).toEqual(left)
  })

  it('is not given in a signature', () => {
    const app = new Lovage('nulls')
    const task = app.task('nulls.task', () => undefined)

    expect(task.signature([], NULLS).toJSON()).toEqual(task.signature([]).toJSON())
    expect(task.s().set(NULLS).toJSON()).toEqual(task.s().toJSON())
  })

  it('is not given to a retry', async () => {
    await using app = new TestApp()
    const nulls = {
      countdown: null,
      eta: null,
      exc: null,
      args: null,
      kwargs: null,
      maxRetries: null,
      queue: null,
    }
    const flaky = app.task({ name: 'nulls.flaky', bind: true, defaultRetryDelay: 0 }, (self) => {
      if (self.request.retries === 0) throw self.retry(nulls as unknown as object)
      return self.request.retries
    })
    await using _worker = await startWorker(app)

    expect(await (await flaky.delay()).get(5)).toBe(1)
  })
})

describe('an option of a task that is null', () => {
  const nulls = {
    queue: null,
    priority: null,
    expires: null,
    timeLimit: null,
    softTimeLimit: null,
    serializer: null,
    params: null,
    defaultRetryDelay: null,
    retryBackoffMax: null,
    retryKwargs: { maxRetries: null, countdown: null },
    ignoreResult: null,
    rateLimit: null,
  } as unknown as TaskOptions

  it('is not given', async () => {
    await using app = new TestApp()
    const task = app.task('nulls.task', nulls, () => 'done')
    await using _worker = await startWorker(app)

    expect(await (await task.delay()).get(5)).toBe('done')
  })

  it('has no limit of retries with maxRetries', async () => {
    const app = new Lovage('nulls')
    class Flaky extends Error {}
    const options = { name: 'nulls.again', bind: true, maxRetries: null, autoretryFor: [Flaky] } as const
    const again = app.task(options, (self) => {
      if (self.request.retries < 10) throw new Flaky()
      return self.request.retries
    })

    expect(await (await again.apply([])).get()).toBe(10)
  })
})
