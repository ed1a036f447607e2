import { describe, expect, it } from '@jest/globals'

import { TaskError, TimeoutError } from '../../../src/errors/errors.js'
import {
  allEnqueued,
  ManualClock,
  startWorker,
  TestApp,
  waitFor,
  waitForTask,
} from '../../../src/testing/index.js'
import { gate } from '../worker/harness.js'

describe('a worker in the process of the test', () => {
  it('runs what is sent, although its clock stands still', async () => {
    await using app = new TestApp({}, { clock: new ManualClock() })
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    await using _worker = await startWorker(app)

    for (let round = 0; round < 5; round += 1) {
      expect(await (await add.delay(round, 2)).get(5)).toBe(round + 2)
    }
  })

  it('takes a started task off the list of enqueued ones', async () => {
    await using app = new TestApp()
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    const result = await add.delay(1, 2)
    expect(allEnqueued(app)).toHaveLength(1)

    await using _worker = await startWorker(app)
    await result.get(5)

    expect(allEnqueued(app)).toEqual([])
  })

  it('waitFor gives the metadata of a state, and the value at the end', async () => {
    await using app = new TestApp()
    const may = gate()
    const work = app.task({ name: 'tests.work', bind: true }, async (self) => {
      await self.updateState({ state: 'PROGRESS', meta: { done: 1 } })
      await may.passed
      return 'done'
    })
    await using _worker = await startWorker(app)
    const result = await work.delay()

    expect(await waitFor(result, 'PROGRESS')).toEqual({ done: 1 })
    may.open()
    expect(await waitFor(result)).toBe('done')
    await expect(waitFor(result, 'FAILURE')).rejects.toThrow(TaskError)
  })

  it('waitForTask sees what has happened already, and gives up in time', async () => {
    const clock = new ManualClock()
    await using app = new TestApp({}, { clock })
    const add = app.task('tests.add', (x: number, y: number) => x + y)
    await using _worker = await startWorker(app)
    await (await add.delay(1, 2)).get()

    expect((await waitForTask(app, add)).value).toBe(3)
    expect((await waitForTask(app, 'tests.add', { state: 'SENT' })).args).toEqual([1, 2])
    const waiting = waitForTask(app, add, { state: 'FAILURE', timeout: 3 }).catch((error: unknown) => error)
    await clock.advance(3)
    expect(await waiting).toBeInstanceOf(TimeoutError)
    expect(String(await waiting)).toContain('SUCCESS of tests.add')
  })
})
