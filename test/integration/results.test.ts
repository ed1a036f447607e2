import { setTimeout } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../conformance/time.js'

import {
  ConfigError,
  currentTask,
  Lovage,
  TaskError,
  TaskFailedError,
  TimeoutError,
  type AsyncResult,
} from '../../src/index.js'
import { startWorker, waitFor } from '../../src/testing/index.js'
import { projectRoot, run } from '../support/child.js'
import { randomName, tempFolder, type TempFolder } from '../support/temp.js'
import { internalsOf } from '../../src/util/internals.js'

class OutOfStockError extends Error {
  override name = 'OutOfStockError'
  readonly article: string

  constructor(article: string) {
    super(`no ${article} left`)
    this.article = article
  }
}

/** The app of these tests, the same on every store. */
function makeApp(url: string) {
  const app = new Lovage('shop', { broker: url, backend: url, resultExtended: true })
  app.registerError(OutOfStockError, {
    excModule: 'shop',
    excType: 'OutOfStockError',
    excMessage: (error: OutOfStockError) => [error.article],
  })
  const add = app.task('shop.add', async (x: number, y: number, seconds = 0) => {
    if (seconds > 0) await setTimeout(seconds * 1000)
    return x + y
  })
  const reserve = app.task('shop.reserve', (article: string): string => {
    throw new OutOfStockError(article)
  })
  const divide = app.task('shop.divide', (x: number): number => {
    throw new (class OddError extends Error {
      override name = 'OddError'
    })(`${x} is odd`)
  })
  const progress = app.task({ name: 'shop.progress', bind: true }, async (self) => {
    for (const done of [50, 90]) {
      await self.updateState({ state: 'PROGRESS', meta: { done } })
      await setTimeout(60)
    }
    return 'done'
  })
  const outer = app.task('shop.outer', async (disable: boolean) => {
    const inner = await add.delay(1, 2)
    return inner.get({ disableSyncSubtasks: disable })
  })
  return { app, add, reserve, divide, progress, outer }
}

const stores = [
  { store: 'memory', urlIn: (_folder: TempFolder) => `memory://${randomName()}` },
  { store: 'sqlite', urlIn: (folder: TempFolder) => `sqlite:///${folder.file('queue.sqlite')}` },
]

describe.each(stores)('results on $store', ({ store, urlIn }) => {
  let folder: TempFolder
  let url: string
  let scene: ReturnType<typeof makeApp>
  let stop = async (): Promise<unknown> => undefined

  beforeAll(async () => {
    folder = await tempFolder('results')
    url = urlIn(folder)
    scene = makeApp(url)
    const worker = await startWorker(scene.app, { concurrency: 10 })
    stop = () => worker.stop()
  })

  afterAll(async () => {
    await stop()
    await scene.app.close()
    await folder.remove()
  })

  it('ready is false while the task runs, then true, however often it is asked', async () => {
    const result = await scene.add.delay(5, 10, 0.3)
    const before: boolean[] = []
    for (let poll = 0; poll < 20; poll += 1) before.push(await result.ready())

    await result.get(10)
    const after: boolean[] = []
    for (let poll = 0; poll < 20; poll += 1) after.push(await result.ready())

    expect(new Set(before)).toEqual(new Set([false]))
    expect(new Set(after)).toEqual(new Set([true]))
    expect([await result.successful(), await result.failed(), result.result]).toEqual([true, false, 15])
    expect(result.taskName).toBe('shop.add')
  })

  it('get gives the value again at once', async () => {
    const result = await scene.add.delay(1, 2)
    await result.get(10)
    const tookMs: number[] = []
    for (let again = 0; again < 5; again += 1) {
      const started = performance.now()
      expect(await result.get(10)).toBe(3)
      tookMs.push(performance.now() - started)
    }

    expect(Math.min(...tookMs)).toBeLessThan(5)
  })

  it('a get that times out leaves the task alone, and a later get succeeds', async () => {
    const result = await scene.add.delay(3, 4, 0.6)

    await expect(result.get({ timeout: { milliseconds: 100 } })).rejects.toThrow(TimeoutError)
    expect(await result.get(10)).toBe(7)
  })

  it('a caller that waits is woken by a push, not by the poll behind it', async () => {
    const delays: number[] = []
    for (let round = 0; round < 15; round += 1) {
      const result: AsyncResult<number> = await scene.add.delay(round, 0, 0.05)
      await result.get(10)
      const doneAt = await result.dateDone()
      delays.push(Date.now() - (doneAt?.getTime() ?? 0))
    }
    delays.sort((left, right) => left - right)

    // The poll behind a push comes after 500 ms at the earliest.
    expect(delays[7]).toBeLessThan(150)
  })

  it('an error of a known class is rebuilt, with its message and the stack of the worker', async () => {
    const result = await scene.reserve.delay('tea')

    const error = await result.get({ timeout: 10, propagate: false })

    expect(error).toBeInstanceOf(OutOfStockError)
    expect(error).toMatchObject({ article: 'tea' })
    expect(String(error)).toContain('no tea left')
    expect(await result.failed()).toBe(true)
    expect(await result.traceback()).toContain('OutOfStockError')
    expect(await result.dateDone()).toBeInstanceOf(Date)
  })

  it('an error of an unknown class keeps its name and message', async () => {
    const failed = (await scene.divide.delay(3)).get(10)

    const error: unknown = await failed.catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(TaskFailedError)
    expect(error).toMatchObject({ remote: { type: 'OddError' } })
    expect(String(error)).toContain('3 is odd')
  })

  it('progress is seen while it happens, and the end', async () => {
    const result = await scene.progress.delay()
    const seen: unknown[] = []

    await result.get({ timeout: 10, onProgress: ({ state, info }) => seen.push([state, info]) })

    expect(seen.at(-1)).toEqual(['SUCCESS', 'done'])
    expect(seen).toContainEqual(['PROGRESS', { done: 90 }])
  })

  it('a handle made of the id alone knows the value, the name and the extended fields', async () => {
    const sent = await scene.add.applyAsync([5, 10], { kwargs: {}, headers: { tenant: 'acme' } })
    await sent.get(10)

    const found = scene.app.AsyncResult(sent.id)

    expect(await found.get(1)).toBe(15)
    expect(found.taskName).toBe('shop.add')
    expect(await found.args()).toEqual([5, 10])
    expect(await found.retries()).toBe(0)
    expect(await found.queue()).toBe('celery')
    expect(await found.worker()).toMatch(/@/)
  })

  it('an unknown id is PENDING and does not exist', async () => {
    const result = scene.app.AsyncResult('no-such-id')

    expect(await result.state()).toBe('PENDING')
    expect(await result.exists()).toBe(false)
  })

  it('forget deletes what was stored', async () => {
    const result = await scene.add.delay(1, 2)
    await result.get(10)

    await result.forget()

    expect(await scene.app.AsyncResult(result.id).exists()).toBe(false)
  })

  it('a SUCCESS is never replaced by what comes later', async () => {
    const result = await scene.add.delay(1, 2)
    await result.get(10)
    const backend = await internalsOf(scene.app).resultBackend()

    for (const state of ['STARTED', 'RETRY', 'FAILURE', 'SUCCESS']) {
      await backend.store([{ taskId: result.id, state, result: 99, children: [] }], { ttlMs: 60_000 })
    }

    expect(await scene.app.AsyncResult(result.id).get(1)).toBe(3)
  })

  it('a get inside of a task is refused, unless the caller insists', async () => {
    const refused = await scene.outer.delay(true)
    const allowed = await scene.outer.delay(false)

    const error = await refused.get({ timeout: 10, propagate: false })

    expect(String(error)).toContain('waits for task')
    expect(await allowed.get(10)).toBe(3)
    expect(currentTask()).toBeUndefined()
  })

  it('children are what the task has sent', async () => {
    const result = await scene.outer.delay(false)
    await waitFor(result, undefined, { timeout: 10 })

    const children = await result.children()

    expect(children).toHaveLength(1)
    expect(await children[0]?.get(1)).toBe(3)
  })

  it('results end after resultExpires', async () => {
    await using brief = new Lovage('brief', {
      broker: url,
      backend: url,
      resultExpires: { milliseconds: 200 },
    })
    const add = brief.task({ name: 'brief.add', queue: 'brief' }, (x: number, y: number) => x + y)
    await using _worker = await startWorker(brief, { queues: ['brief'] })
    const result = await add.delay(1, 2)
    await result.get(10)

    const isGone = async (): Promise<boolean> => !(await brief.AsyncResult(result.id).exists())
    expect(await eventually(isGone, 5_000)).toBe(true)
  })

  // What is in memory is seen by its own process only.
  if (store !== 'memory')
    it('another process reads the result by its id', async () => {
      const result = await scene.add.delay(7, 8)
      await result.get(10)
      const script = `
      import { Lovage } from ${JSON.stringify(`${projectRoot}dist/src/index.js`)}
      const app = new Lovage('reader', { broker: ${JSON.stringify(url)}, backend: ${JSON.stringify(url)} })
      const result = app.AsyncResult(${JSON.stringify(result.id)})
      console.log(await result.get(5), result.taskName)
      await app.close()
    `

      const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', script])

      expect({ stdout, stderr }).toEqual({ stdout: '15 shop.add\n', stderr: '' })
    })
})

describe('an app without results', () => {
  it('runs its tasks, and says which setting is missing when it is asked for a state', async () => {
    await using app = new Lovage('quiet', { broker: `memory://${randomName()}`, backend: false })
    const ran: number[] = []
    const note = app.task('quiet.note', (value: number) => void ran.push(value))
    await using worker = await startWorker(app)
    const result = await note.delay(1)

    await expect(result.ready()).rejects.toThrow(ConfigError)
    await expect(result.get(1)).rejects.toThrow(/backend/)
    await worker.stop()
    expect(ran).toEqual([1])
  })

  it('refuses a wait inside of a task before it asks for the backend', async () => {
    await using app = new Lovage('quiet', { broker: `memory://${randomName()}`, backend: false })
    const outer = app.task('quiet.outer', () => app.AsyncResult('x').get())

    const error = await (await outer.apply([])).get({ propagate: false })

    expect(error).toBeInstanceOf(TaskError)
  })
})
