import { setTimeout as delay } from 'node:timers/promises'

import { describe, expect, it } from '@jest/globals'
import { eventually } from '../../conformance/time.js'

import { currentTask, TaskFailedError, type HandlerEvent } from '../../../src/index.js'
import { Stage, type Store } from './stage.js'

const STORES: readonly Store[] = ['memory', 'sqlite']

describe.each(STORES)('the context of a task on %s', (store) => {
  it('has the fields of the call', async () => {
    await using stage = await Stage.open(store)
    const dump = stage.app.task({ name: 'shop.dump', bind: true }, (self, _text: string) => {
      const { deliveryInfo, ...rest } = self.request
      return { ...rest, deliveryInfo, properties: undefined, signal: self.signal.aborted, name: self.name }
    })
    const worker = await stage.work({ hostname: 'w1@example' })
    const expires = new Date(Date.now() + 60_000)

    const result = await dump.applyAsync(['x'], {
      expires,
      timeLimit: 30,
      softTimeLimit: 20,
      priority: 7,
      headers: { tenant: 'north' },
      replyTo: 'answers',
      shadow: 'dumper',
    })

    expect(await result.get(5)).toMatchObject({
      id: result.id,
      task: 'shop.dump',
      name: 'shop.dump',
      args: ['x'],
      kwargs: {},
      retries: 0,
      rootId: result.id,
      isEager: false,
      calledDirectly: false,
      hostname: worker.hostname,
      origin: expect.stringMatching(/^gen\d+@/),
      correlationId: result.id,
      replyTo: 'answers',
      expiresMs: expires.getTime(),
      timelimit: [30, 20],
      shadow: 'dumper',
      utc: true,
      signal: false,
      headers: { tenant: 'north' },
      deliveryInfo: { queue: 'celery', priority: 7, redelivered: false, deliveryCount: 1 },
    })
  })

  it('is found by helpers after awaits, a hundred tasks at once, and their log lines carry name and id', async () => {
    await using stage = await Stage.open(store)
    const helper = async (): Promise<string | undefined> => {
      await delay(1)
      currentTask()?.logger.info({}, 'from the helper')
      await delay(1)
      return currentTask()?.request.id
    }
    const ask = stage.app.task('shop.ask', helper)
    await stage.work({ concurrency: 100 })

    const results = await ask.bulk(Array.from({ length: 100 }, () => []))
    const ids = await Promise.all(results.map(async (result) => result.get(10)))

    expect(ids).toEqual(results.map(({ id }) => id))
    const logged = stage.log.lines.filter(({ message }) => message.includes('from the helper'))
    expect(new Set(logged.map(({ fields }) => fields['id']))).toEqual(new Set(ids))
    expect(new Set(logged.map(({ fields }) => fields['task']))).toEqual(new Set(['shop.ask']))
  })

  it('a call from a task belongs to it: root, parent and children', async () => {
    await using stage = await Stage.open(store)
    const inner = stage.app.task('shop.inner', () => [
      currentTask()?.request.rootId,
      currentTask()?.request.parentId,
    ])
    const outer = stage.app.task('shop.outer', async () => (await inner.delay()).id)
    await stage.work()

    const result = await outer.delay()
    const innerId = await result.get(5)

    expect(await stage.app.AsyncResult(innerId).get(5)).toEqual([result.id, result.id])
    expect((await result.children()).map(({ id }) => id)).toEqual([innerId])
  })

  it('handlers come in order, after the result was stored; afterReturn not for a retry', async () => {
    await using stage = await Stage.open(store)
    const seen: string[] = []
    const note =
      (what: string) =>
      async ({ request, state }: HandlerEvent): Promise<void> => {
        seen.push(`${what} ${state} ${await stage.app.AsyncResult(request.id).state()}`)
      }
    const flaky = stage.app.task(
      {
        name: 'shop.flaky',
        bind: true,
        beforeStart: () => {
          seen.push('before')
        },
        onRetry: note('retry'),
        onSuccess: note('success'),
        onFailure: note('failure'),
        afterReturn: note('after'),
      },
      (self, goal: string) => {
        seen.push('run')
        if (self.request.retries === 0 && goal !== 'fail') throw self.retry({ countdown: 0.05 })
        if (goal === 'fail') throw new RangeError('no')
      },
    )
    await stage.work()

    await (await flaky.delay('retry')).get(5)
    await eventually(() => seen.at(-1)?.startsWith('after') === true)
    expect(seen).toEqual([
      'before',
      'run',
      'retry RETRY RETRY',
      'before',
      'run',
      'success SUCCESS SUCCESS',
      'after SUCCESS SUCCESS',
    ])

    seen.length = 0
    await expect((await flaky.delay('fail')).get(5)).rejects.toThrow('no')
    await eventually(() => seen.at(-1)?.startsWith('after') === true)
    expect(seen).toEqual(['before', 'run', 'failure FAILURE FAILURE', 'after FAILURE FAILURE'])
  })

  it('states of its own are seen by callers that wait', async () => {
    await using stage = await Stage.open(store)
    const seen: unknown[] = []
    let heard: () => void = () => undefined
    const copy = stage.app.task({ name: 'shop.copy', bind: true }, async (self) => {
      for (const done of [1, 2]) {
        const isHeard = new Promise<void>((resolve) => {
          heard = resolve
        })
        await self.updateState({ state: 'PROGRESS', meta: { done, of: 2 } })
        await isHeard
      }
      return 'copied'
    })
    await stage.work()
    const result = await copy.delay()

    const value = await result.get({
      timeout: 10,
      onProgress: ({ state, info }) => {
        seen.push([state, info])
        if (state === 'PROGRESS') heard()
      },
    })

    expect(value).toBe('copied')
    expect(seen.filter((pair) => JSON.stringify(pair).includes('PROGRESS'))).toEqual([
      ['PROGRESS', { done: 1, of: 2 }],
      ['PROGRESS', { done: 2, of: 2 }],
    ])
  })

  it('a soft limit ends what listens to the signal, and finally runs', async () => {
    await using stage = await Stage.open(store)
    let cleaned = 0
    const sleep = stage.app.task(
      { name: 'shop.sleep', bind: true, softTimeLimit: { milliseconds: 50 } },
      async (self) => {
        try {
          await delay(60_000, undefined, { signal: self.signal })
        } finally {
          cleaned++
        }
      },
    )
    await stage.work()

    const result = await sleep.delay()
    await expect(result.get(5)).rejects.toThrow(TaskFailedError)

    expect(await result.state()).toBe('FAILURE')
    expect(cleaned).toBe(1)
  })

  it('an expected error is FAILURE, logged at info without a stack', async () => {
    await using stage = await Stage.open(store)
    class OutOfStock extends Error {}
    const order = stage.app.task({ name: 'shop.order', throws: [OutOfStock] }, () => {
      throw new OutOfStock('none left')
    })
    await stage.work()

    const result = await order.delay()
    await expect(result.get(5)).rejects.toThrow('none left')

    await eventually(() => stage.log.find(/raised expected/) !== undefined)
    const line = stage.log.find(/raised expected/)
    expect(line?.level).toBe('info')
    expect(Object.keys(line?.fields ?? {})).not.toContain('err')
    expect(stage.log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('a result is ignored as the call, else the task, else the setting says', async () => {
    await using stage = await Stage.open(store, { taskIgnoreResult: true })
    const bySetting = stage.app.task('shop.setting', () => 1)
    const byTask = stage.app.task({ name: 'shop.task', ignoreResult: false }, () => 2)
    const failing = stage.app.task({ name: 'shop.failing', storeErrorsEvenIfIgnored: true }, () => {
      throw new RangeError('kept')
    })
    await stage.work({ concurrency: 1 })

    const ignored = await bySetting.delay()
    const asked = await bySetting.applyAsync([], { ignoreResult: false })
    const ignoredByCall = await byTask.applyAsync([], { ignoreResult: true })
    const kept = await byTask.delay()
    const failure = await failing.delay()

    expect(await asked.get(5)).toBe(1)
    expect(await kept.get(5)).toBe(2)
    await expect(failure.get(5)).rejects.toThrow('kept')
    expect(await ignored.exists()).toBe(false)
    expect(await ignoredByCall.exists()).toBe(false)
  })

  it('STARTED tells process and worker, and extended results tell the call', async () => {
    await using stage = await Stage.open(store, { taskTrackStarted: true, resultExtended: true })
    let open: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      open = resolve
    })
    const hold = stage.app.task('shop.hold', async (x: number) => {
      await held
      return x
    })
    const worker = await stage.work({ hostname: 'w1@example' })
    const result = await hold.delay(3)

    await eventually(async () => (await result.state()) === 'STARTED')
    expect(await result.info()).toEqual({ pid: process.pid, hostname: worker.hostname })
    open()

    expect(await result.get(5)).toBe(3)
    const read = stage.app.AsyncResult(result.id)
    expect(await read.get(5)).toBe(3)
    expect([
      read.taskName,
      await read.args(),
      await read.worker(),
      await read.retries(),
      await read.queue(),
    ]).toEqual(['shop.hold', [3], worker.hostname, 0, 'celery'])
  })
})
