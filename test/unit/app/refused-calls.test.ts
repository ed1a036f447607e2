import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TaskArgumentsError, TaskError } from '../../../src/errors/errors.js'
import { Lovage, signature } from '../../../src/index.js'
import { allEnqueued, TestApp } from '../../../src/testing/index.js'
import { internalsOf } from '../../../src/util/internals.js'

/** What JavaScript callers write, whatever the types say. */
type Loose = (args: unknown, options?: unknown) => Promise<unknown>

const OPTIONS: readonly (readonly [string, object, RegExp])[] = [
  ['a negative hard limit', { timeLimit: -1 }, /timeLimit .* 0 or more/],
  ['a negative soft limit', { softTimeLimit: { minutes: -1 } }, /softTimeLimit .* 0 or more/],
  ['a soft limit beyond the hard one', { softTimeLimit: 5, timeLimit: 2 }, /soft time limit/],
  ['an empty id', { taskId: '' }, /taskId .* not empty, got: ""/],
  ['an id that is a number', { taskId: 7 }, /taskId .* not empty, got: 7/],
  ['a queue that is a number', { queue: 5 }, /queue/],
  ['an empty queue', { queue: '' }, /queue/],
  ['kwargs that are an array', { kwargs: [1] }, /kwargs .* plain object/],
  ['kwargs that are a Map', { kwargs: new Map([['x', 1]]) }, /kwargs .* plain object/],
  ['kwargs that are a text', { kwargs: 'x=1' }, /kwargs .* plain object/],
  ['an eta that is a number', { eta: Date.now() + 1000 }, /eta .* valid Date/],
  ['an eta that is no moment', { eta: new Date('never') }, /eta .* valid Date/],
  ['an expiry that is no moment', { expires: new Date('never') }, /expires .* valid Date/],
  ['a countdown that is a text', { countdown: 'soon' }, /countdown/],
  ['headers that are an array', { headers: ['x'] }, /headers .* plain object/],
  ['a group index that is a text', { groupIndex: 'x' }, /groupIndex .* whole number/],
  ['a link that is a name', { link: 'tasks.add' }, /link .* a signature or a list of signatures/],
  ['a link that is a Date', { linkError: [new Date(0)] }, /linkError .* a signature or a list of signatures/],
]

/** A plain signature, as Celery writes one, with something in it that no worker could run. */
const LINKS: readonly (readonly [string, object, RegExp])[] = [
  ['no name', { task: '' }, /name of a task/],
  ['args that are no array', { task: 't', args: 'x' }, /args .* an array/],
  ['kwargs that are an array', { task: 't', kwargs: [1] }, /kwargs .* plain object/],
  ['options that are a text', { task: 't', options: 'x' }, /options .* plain object/],
  ['a negative limit', { task: 't', options: { time_limit: -1 } }, /timeLimit .* 0 or more/],
  ['an empty id', { task: 't', options: { task_id: '' } }, /taskId .* not empty/],
  ['an id that is a number', { task: 't', options: { task_id: 7 } }, /task_id: 7/],
  ['a priority that is none', { task: 't', options: { priority: 256 } }, /priority/],
  ['a link that is a name', { task: 't', options: { link: 'u' } }, /link .* a signature/],
]

/** What a signature object is refused for: the same as a call. */
const SIGNATURES: readonly (readonly [string, object, RegExp])[] = [
  ['a negative limit', { options: { timeLimit: -1 } }, /timeLimit .* 0 or more/],
  ['an empty id', { options: { taskId: '' } }, /taskId .* not empty/],
  ['an id that is a number', { options: { taskId: 7 } }, /taskId .* not empty/],
  ['a priority that is none', { options: { priority: 256 } }, /priority/],
  ['a group index that is a text', { options: { groupIndex: 'x' } }, /groupIndex .* whole number/],
  ['kwargs that are an array', { kwargs: [1] }, /kwargs .* plain object/],
  ['args that are a text', { args: 'abc' }, /args .* an array/],
]

describe.each([
  ['a call', {}],
  ['a call in eager mode', { taskAlwaysEager: true }],
])('%s that no worker could run is refused', (_name, settings) => {
  let app: TestApp
  let applyAsync: Loose

  beforeAll(() => {
    app = new TestApp(settings)
    applyAsync = app.task('refused.task', (...args: readonly unknown[]) => args.length)
      .applyAsync as unknown as Loose
  })

  afterAll(() => app.close())

  it.each(OPTIONS)('for %s', async (_what, options, message) => {
    const refusal = await applyAsync([], options).catch((error: unknown) => error)

    expect(refusal).toBeInstanceOf(Error)
    expect(String(refusal)).toMatch(message)
    expect(allEnqueued(app)).toEqual([])
  })

  it.each(LINKS)('for a link with %s', async (_what, link, message) => {
    for (const option of ['link', 'linkError']) {
      await expect(applyAsync([], { [option]: link })).rejects.toThrow(message)
    }
    expect(allEnqueued(app)).toEqual([])
  })

  it('for arguments that are no array', async () => {
    await expect(applyAsync('abc')).rejects.toThrow(/args .* an array, got: "abc"/)
  })
})

describe('a signature that no worker could run', () => {
  it.each(SIGNATURES)('is refused for %s', (_what, parts, message) => {
    expect(() => signature('t', parts)).toThrow(message)
  })

  it('is refused for an empty name', () => {
    expect(() => signature('')).toThrow(TaskError)
  })
})

it('a plain signature with what Celery writes into one is sent as it is', async () => {
  await using app = new TestApp()
  const options = {
    task_id: 'a',
    queue: null,
    delivery_mode: 2,
    stamped_headers: ['team'],
    team: 'red',
    link_error: [{ task: 'failed', args: [], kwargs: {}, options: { reply_to: 'b' } }],
  }
  const link = { task: 't', args: [], kwargs: {}, options, subtask_type: null, immutable: false }

  const { task } = await internalsOf(app).sender.prepare({
    name: 'refused.parent',
    args: [],
    kwargs: {},
    options: { link },
  })

  expect(task.embed?.callbacks).toEqual([link])
})

it('a call whose arguments do not fit the function is refused before anything is sent', async () => {
  await using app = new TestApp()
  const add = app.task('refused.add', (x: number, y: number) => x + y).delay as unknown as (
    ...args: readonly unknown[]
  ) => Promise<unknown>

  await expect(add(1)).rejects.toThrow(TaskArgumentsError)
  await expect(add(1, 2, 3)).rejects.toThrow(TaskArgumentsError)

  expect(allEnqueued(app)).toEqual([])
})

describe('the name of a task', () => {
  it.each([[''], [7], [undefined]])('is refused where it is %p', async (name) => {
    await using app = new TestApp()

    await expect(app.sendTask(name as string)).rejects.toThrow(TaskError)
  })

  it('is refused where a definition has an empty one', () => {
    const app = new Lovage('shop')

    expect(() => app.task('', () => 1)).toThrow(TaskError)
  })
})

describe('limits of a definition', () => {
  it.each([[{ timeLimit: -1 }], [{ softTimeLimit: -1 }]])('are refused where they are %p', (options) => {
    const app = new Lovage('shop')

    expect(() => app.task('shop.limited', options, () => 1)).toThrow(/0 or more/)
  })
})
