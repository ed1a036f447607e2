import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { TaskArgumentsError, TaskError } from '../../../src/errors/errors.js'
import { Lovage } from '../../../src/index.js'
import { allEnqueued, TestApp } from '../../../src/testing/index.js'

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

  it('for arguments that are no array', async () => {
    await expect(applyAsync('abc')).rejects.toThrow(/args .* an array, got: "abc"/)
  })
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
