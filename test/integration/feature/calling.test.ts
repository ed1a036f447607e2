import { inflateSync } from 'node:zlib'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'

import { currentTask, Lovage, OperationalError, TaskError, TaskRevokedError } from '../../../src/index.js'
import type { Message } from '../../../src/message/message.js'
import { Stage, type Store } from './stage.js'
import { internalsOf } from '../../../src/util/internals.js'

const STORES: readonly Store[] = ['memory', 'sqlite']

describe.each(STORES)('a call through a worker on %s', (store) => {
  it('delay gives a handle at once, and exactly one message waits', async () => {
    await using stage = await Stage.open(store)
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)

    const result = await add.delay(5, 10)

    expect(result.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await stage.depth('celery')).toBe(1)
    await stage.work()
    expect(await result.get(5)).toBe(15)
    expect(await stage.depth('celery')).toBe(0)
  })

  it('a countdown and an eta hold a task back, and no longer than a second too long', async () => {
    await using stage = await Stage.open(store)
    const now = stage.app.task('shop.now', () => Date.now())
    await stage.work()
    const sentMs = Date.now()

    const counted = await now.applyAsync([], { countdown: { milliseconds: 400 } })
    const dated = await now.applyAsync([], { eta: new Date(sentMs + 600) })
    const ran = [await counted.get(5), await dated.get(5)].map((ranMs) => ranMs - sentMs)

    expect(ran[0]).toBeGreaterThanOrEqual(395)
    expect(ran[0]).toBeLessThan(1_400)
    expect(ran[1]).toBeGreaterThanOrEqual(595)
    expect(ran[1]).toBeLessThan(1_600)
  })

  it('countdown and eta together are refused before anything is sent', async () => {
    await using stage = await Stage.open(store)
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)

    await expect(add.applyAsync([1, 2], { countdown: 1, eta: new Date() })).rejects.toThrow(TaskError)
  })

  it('a task that expired while no worker was there is REVOKED and never run', async () => {
    await using stage = await Stage.open(store)
    let ran = 0
    const count = stage.app.task('shop.count', () => ++ran)
    const late = await count.applyAsync([], { expires: { milliseconds: 50 } })
    const past = await count.applyAsync([], { expires: new Date(Date.now() - 1_000) })
    const inTime = await count.applyAsync([], { expires: 60 })
    await delay(80)

    await stage.work()

    expect(await inTime.get(5)).toBe(1)
    await expect(late.get(5)).rejects.toThrow(TaskRevokedError)
    await expect(past.get(5)).rejects.toThrow(TaskRevokedError)
    expect(await late.state()).toBe('REVOKED')
    expect(ran).toBe(1)
  })

  it('higher priorities run first, equal ones in the order of sending', async () => {
    await using stage = await Stage.open(store)
    const order: string[] = []
    const note = stage.app.task('shop.note', (name: string) => {
      order.push(name)
    })
    await note.applyAsync(['low'], { priority: 0 })
    await note.applyAsync(['middle 1'], { priority: 5 })
    await note.applyAsync(['high'], { priority: 9 })
    await note.applyAsync(['middle 2'], { priority: 5 })

    await stage.work({ concurrency: 1 })

    await eventually(() => order.length === 4)
    expect(order).toEqual(['high', 'middle 1', 'middle 2', 'low'])
  })

  it('a link gets the value, and links of links go on', async () => {
    await using stage = await Stage.open(store)
    const add = stage.app.task('shop.add', (x: number, y: number) => x + y)
    const seen: string[] = []
    const note = stage.app.task('shop.note', (text: string) => {
      seen.push(text)
    })
    await stage.work()

    const result = await add.applyAsync([2, 2], {
      link: [add.s(16), note.si('linked')],
      linkError: note.si('failed'),
    })

    expect(await result.get(5)).toBe(4)
    await eventually(() => seen.length > 0)
    const children = await result.children()
    const values = await Promise.all(children.map(async (child) => child.get(5)))
    expect(values).toContain(20)
    expect(seen).toEqual(['linked'])
  })

  it('an errback gets the id of the failed task, and the callback is not called', async () => {
    await using stage = await Stage.open(store)
    const fail = stage.app.task('shop.fail', () => {
      throw new RangeError('no such parcel')
    })
    const seen: string[] = []
    const note = stage.app.task('shop.note', (text: string) => {
      seen.push(text)
    })
    await stage.work()

    const result = await fail.applyAsync([], { link: note.si('linked'), linkError: [note.s()] })
    await expect(result.get(5)).rejects.toThrow('no such parcel')

    await eventually(() => seen.length > 0)
    expect(seen).toEqual([result.id])
  })

  it('an own id is the id, everywhere', async () => {
    await using stage = await Stage.open(store)
    const own = stage.app.task('shop.own', () => currentTask()?.request.id)
    await stage.work()
    const taskId = `order-${randomUUID()}`

    const result = await own.applyAsync([], { taskId })

    expect(result.id).toBe(taskId)
    expect(await result.get(5)).toBe(taskId)
    expect(await stage.app.AsyncResult(taskId).get(5)).toBe(taskId)
  })

  it('options of a call win over those of the task', async () => {
    await using stage = await Stage.open(store, { taskTimeLimit: 100, acceptContent: ['json', 'yaml'] })
    const limits = stage.app.task(
      { name: 'shop.limits', timeLimit: 50, softTimeLimit: 40, serializer: 'json', ignoreResult: true },
      () => currentTask()?.request.timelimit,
    )
    await stage.work()

    const sent: Message[] = []
    internalsOf(stage.app).around.publish.push(async (call, next) => {
      sent.push(call.outgoing.message)
      await next(call)
    })

    const ignored = await limits.applyAsync([])
    const result = await limits.applyAsync([], {
      timeLimit: 20,
      softTimeLimit: { seconds: 10 },
      serializer: 'yaml',
      compression: 'gzip',
      ignoreResult: false,
    })

    expect(await result.get(5)).toEqual([20, 10])
    expect(await stage.app.AsyncResult(ignored.id).exists()).toBe(false)
    const [plain, compressed] = sent
    expect(JSON.parse(Buffer.from(plain?.body ?? []).toString())).toEqual([[], {}, expect.anything()])
    expect(compressed).toMatchObject({
      contentType: 'application/x-yaml',
      headers: { compression: 'application/x-gzip' },
    })
    expect(inflateSync(compressed?.body ?? new Uint8Array()).toString()).toMatch(/^- \[\]/)
  })

  it('keyword arguments arrive by name, raw in the request, and as one trailing object without params', async () => {
    await using stage = await Stage.open(store)
    const named = stage.app.task(
      { name: 'shop.named', params: ['x', 'y', 'z?'] },
      (x: number, y: number, z = 3) => [x, y, z],
    )
    const trailing = stage.app.task('shop.trailing', (...all: unknown[]) => [
      all,
      currentTask()?.request.kwargs,
    ])
    await stage.work()

    const byName = await stage.app.sendTask('shop.named', { args: [1], kwargs: { y: 2 } })
    const last = await stage.app.sendTask('shop.trailing', { args: [1], kwargs: { size: 'L' } })

    expect(named.name).toBe('shop.named')
    expect(trailing.name).toBe('shop.trailing')
    expect(await byName.get(5)).toEqual([1, 2, 3])
    expect(await last.get(5)).toEqual([[1, { size: 'L' }], { size: 'L' }])
  })

  it('a client without the task gets its result from a worker that has it', async () => {
    await using stage = await Stage.open(store)
    stage.app.task('shop.add', (x: number, y: number) => x + y)
    await stage.work()
    await using client = new Lovage('client', { broker: stage.url, backend: stage.url })

    const result = await client.sendTask<number>('shop.add', { args: [2, 3] })

    expect(await result.get(5)).toBe(5)
  })

  it('an expected moment of a retry is kept: same id, growing count', async () => {
    await using stage = await Stage.open(store)
    const seen: unknown[] = []
    const flaky = stage.app.task({ name: 'shop.flaky', bind: true, maxRetries: 5 }, (self, floor: number) => {
      seen.push([self.request.id, self.request.retries, floor])
      if (self.request.retries < 2) throw self.retry({ countdown: { milliseconds: 30 }, args: [floor + 1] })
      return self.request.retries
    })
    await stage.work()

    const result = await flaky.delay(0)

    expect(await result.get(5)).toBe(2)
    expect(seen).toEqual([
      [result.id, 0, 0],
      [result.id, 1, 1],
      [result.id, 2, 2],
    ])
  })

  it('autoretryFor runs a task again, not for its exceptions, and ends with the error itself', async () => {
    await using stage = await Stage.open(store)
    class GatewayError extends Error {
      override readonly name = 'GatewayError'
    }
    class ClosedError extends GatewayError {}
    stage.app.registerError(GatewayError, { excModule: 'shop', excType: 'GatewayError' })
    let runs = 0
    const options = {
      autoretryFor: [GatewayError],
      dontAutoretryFor: [ClosedError],
      maxRetries: 3,
      defaultRetryDelay: { milliseconds: 10 },
    }
    const charge = stage.app.task({ name: 'shop.charge', ...options }, () => {
      runs++
      throw new GatewayError('timed out')
    })
    const closed = stage.app.task({ name: 'shop.closed', ...options }, () => {
      runs += 100
      throw new ClosedError('closed')
    })
    await stage.work()

    await expect((await charge.delay()).get(10)).rejects.toBeInstanceOf(GatewayError)
    expect(runs).toBe(4)
    await expect((await closed.delay()).get(10)).rejects.toThrow('closed')
    expect(runs).toBe(104)
  })
})

describe('a broker that cannot be reached', () => {
  it('fails the call with an OperationalError', async () => {
    await using app = new Lovage('shop', {
      broker: 'sqlite:////proc/no/such/folder/q.sqlite',
      taskPublishRetryPolicy: { maxRetries: 1, intervalStart: 0, intervalStep: 0 },
    })
    const add = app.task('shop.add', (x: number, y: number) => x + y)

    await expect(add.delay(1, 2)).rejects.toThrow(OperationalError)
  })
})

describe('an argument that cannot be written', () => {
  it.each([
    ['a function', { socket: (): number => 1 }],
    ['a symbol', { socket: Symbol('s') }],
  ])('%s is refused at the call with its path, and nothing is sent', async (_what, value) => {
    await using stage = await Stage.open('memory')
    const keep = stage.app.task('shop.keep', (_number: number, _value: unknown) => undefined)

    await expect(keep.delay(1, value)).rejects.toThrow(/args\[1\]\.socket/)
    expect(await stage.depth('celery').catch(() => 0)).toBe(0)
  })
})
