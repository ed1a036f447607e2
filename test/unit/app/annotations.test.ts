import { describe, expect, it } from '@jest/globals'
import type { ConfigInput } from '../../../src/config/config.js'
import { MaxRetriesError, TaskError } from '../../../src/errors/errors.js'
import { sharedTask } from '../../../src/index.js'
import type { TaskOptions } from '../../../src/task/options.js'
import { TestApp } from '../../../src/testing/index.js'
import { internalsOf } from '../../../src/util/internals.js'
import { Worker } from '../../../src/worker/index.js'

type OwnOptions = Pick<TaskOptions, 'timeLimit'>
type Annotations = ConfigInput['taskAnnotations']

/** The time limits on the wire of a call of the task `shop.pack`: hard and soft, in seconds. */
async function limitsOf(
  taskAnnotations: Annotations,
  own: OwnOptions = {},
  call: object = {},
): Promise<unknown> {
  await using app = new TestApp()
  const pack = app.task({ name: 'shop.pack', ...own }, () => 'packed')
  app.conf.update({ taskAnnotations })
  const sent: unknown[] = []
  internalsOf(app).around.publish.push(async (prepared, next) => {
    sent.push(prepared.outgoing.message.headers['timelimit'])
    await next(prepared)
  })
  await pack.applyAsync([], call)
  return sent[0]
}

describe('taskAnnotations', () => {
  it.each<[string, Annotations, OwnOptions, object, readonly unknown[]]>([
    ['the name', { 'shop.pack': { timeLimit: 5 } }, {}, {}, [5, null]],
    ['the name, in Celery’s spelling', { 'shop.pack': { soft_time_limit: 2 } }, {}, {}, [null, 2]],
    ['the star', { '*': { time_limit: 5 } }, {}, {}, [5, null]],
    ['another name', { 'shop.send': { timeLimit: 5 } }, { timeLimit: 3 }, {}, [3, null]],
    ['the name over the task', { 'shop.pack': { timeLimit: 5 } }, { timeLimit: 3 }, {}, [5, null]],
    ['the call over the name', { 'shop.pack': { timeLimit: 5 } }, {}, { timeLimit: 9 }, [9, null]],
    [
      'the star over the name, as in Celery',
      { '*': { time_limit: 7 }, 'shop.pack': { time_limit: 5, soft_time_limit: 2 } },
      {},
      {},
      [7, 2],
    ],
    [
      'the first of a list',
      [
        { 'shop.send': { timeLimit: 1 } },
        { 'shop.pack': { timeLimit: 5 } },
        { 'shop.pack': { softTimeLimit: 2 } },
      ],
      {},
      {},
      [5, null],
    ],
    ['null over the task', { 'shop.pack': { time_limit: null } }, { timeLimit: 3 }, {}, [null, null]],
  ])('changes an option by %s', async (_what, annotations, own, call, expected) => {
    expect(await limitsOf(annotations, own, call)).toEqual(expected)
  })

  it('changes what a worker does: retries, and functions at points of the life of a task', async () => {
    const heard: string[] = []
    const onFailure = (event: { readonly state: string }): void => void heard.push(event.state)
    await using app = new TestApp({
      taskAnnotations: { 'shop.pack': { max_retries: 0, on_failure: onFailure } },
    })
    const pack = app.task({ name: 'shop.pack', bind: true }, (self) => {
      throw self.retry()
    })

    const result = await pack.apply([])

    await expect(result.get()).rejects.toThrow(MaxRetriesError)
    expect(heard).toEqual(['FAILURE'])
  })

  it.each([
    [
      { 'shop.pack': { time_limits: 5 } },
      /unknown option "timeLimits" for shop\.pack in taskAnnotations; did you mean "timeLimit"/,
    ],
    [{ '*': { name: 'shop.other' } }, /unknown option "name" for shop\.pack in taskAnnotations/],
    [
      { '*': { timeLimit: 1, softTimeLimit: 2 } },
      /the soft time limit of shop\.pack is longer than its hard one/,
    ],
  ])('refuses %j where the task is called, and where a worker starts', async (taskAnnotations, message) => {
    await using app = new TestApp({ taskAnnotations })
    const pack = app.task({ name: 'shop.pack' }, () => 'packed')
    const refusal = expect.objectContaining({ message: expect.stringMatching(message) })

    await expect(pack.delay()).rejects.toThrow(TaskError)
    await expect(pack.delay()).rejects.toEqual(refusal)
    await expect(new Worker(app).start()).rejects.toEqual(refusal)
  })

  it.each([
    ['shop.Annotations', 'expected taskAnnotations to be an object'],
    [{ 'shop.pack': 5 }, 'expected taskAnnotations["shop.pack"] to be an object'],
  ])('refuses %j', (taskAnnotations, message) => {
    const app = new TestApp()
    app.conf.set('taskAnnotations', taskAnnotations)

    expect(() => internalsOf(app).config()).toThrow(message)
  })

  it('changes a shared task in the app that has them, and in no other', async () => {
    const shared = sharedTask({ name: 'shop.shared', maxRetries: 4 }, () => 'done')
    await using app = new TestApp({ taskAnnotations: { '*': { max_retries: 1 } } })
    await using other = new TestApp()

    expect(app.tasks.get(shared.name)?.options.maxRetries).toBe(1)
    expect(other.tasks.get(shared.name)?.options.maxRetries).toBe(4)
  })
})
