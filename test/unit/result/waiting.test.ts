import { getEventListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'

import { describe, expect, it } from '@jest/globals'

import { ConfigError, TaskError, TimeoutError } from '../../../src/errors/errors.js'
import { allowJoinResult } from '../../../src/result/allow-join.js'
import { AsyncResult } from '../../../src/result/async-result.js'
import type { ProgressUpdate } from '../../../src/result/result-handle.js'
import type { ResultSource } from '../../../src/result/source.js'
import { ManualClock } from '../../../src/testing/manual-clock.js'
import { contextForTest } from '../testing/context-for-test.js'
import { FakeBackend, recordOf, sourceOf } from './fake-source.js'

interface Scene {
  readonly backend: FakeBackend
  readonly clock: ManualClock
  readonly result: AsyncResult<number>
}

function scene(): Scene {
  const backend = new FakeBackend()
  const clock = new ManualClock()
  return { backend, clock, result: new AsyncResult<number>('id-1', { app: sourceOf(backend, clock) }) }
}

async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate()
}

describe('an AsyncResult that waits', () => {
  it('get ends when the record comes, and leaves no timer and no watch', async () => {
    const { backend, clock, result } = scene()
    const getting = result.get({ timeout: { minutes: 1 } })
    await turns()

    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])

    expect(await getting).toBe(3)
    await turns()
    expect(backend.watches).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  it('get(3) throws TimeoutError after three seconds, and a later get succeeds', async () => {
    const { backend, clock, result } = scene()
    const getting = result.get(3)
    const outcome = getting.catch((error: unknown) => error)
    await clock.advance({ milliseconds: 2999 })
    const early = await Promise.race([outcome, setImmediate('still waiting')])

    await clock.advance({ milliseconds: 1 })

    expect(early).toBe('still waiting')
    expect(await outcome).toBeInstanceOf(TimeoutError)
    await expect(getting).rejects.toThrow('the operation timed out: task id-1 is not ready after 3 s')
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 7 })])
    expect(await result.get()).toBe(7)
  })

  it('a wait that timed out leaves no timer and no watch', async () => {
    const { backend, clock, result } = scene()
    const outcomes = Array.from({ length: 50 }, () => result.get(1).catch((error: unknown) => error))

    await clock.advance(1)

    expect((await Promise.all(outcomes)).every((error) => error instanceof TimeoutError)).toBe(true)
    await turns()
    expect(backend.watches).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  it('a timeout of 0 looks once', async () => {
    const { backend, result } = scene()
    await expect(result.get(0)).rejects.toThrow(TimeoutError)

    await backend.store([recordOf('id-1', 'SUCCESS', { result: 7 })])

    expect(await result.get(0)).toBe(7)
  })

  it('a negative timeout is refused', async () => {
    await expect(scene().result.get(-1)).rejects.toThrow(ConfigError)
  })

  it('a wait that ended leaves no listener on the signal of its caller', async () => {
    const { backend, result } = scene()
    const { signal } = new AbortController()
    const getting = result.get({ signal })
    await turns()
    expect(getEventListeners(signal, 'abort').length).toBeGreaterThan(0)

    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])

    expect(await getting).toBe(3)
    await turns()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('an aborted signal rejects with its reason and frees the listener', async () => {
    const { backend, clock, result } = scene()
    const stop = new AbortController()
    const reason = new Error('enough')
    const getting = result.get({ signal: stop.signal, timeout: 60 })
    const outcome = getting.catch((error: unknown) => error)
    await turns()

    stop.abort(reason)

    expect(await outcome).toBe(reason)
    await turns()
    expect(backend.watches).toBe(0)
    expect(clock.pendingTimers).toBe(0)
  })

  it('a signal that had aborted before asks nothing of the backend', async () => {
    const { backend, result } = scene()

    await expect(result.get({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect(backend.loads).toBe(0)
  })

  it('the timeout holds while the backend is still connecting', async () => {
    const clock = new ManualClock()
    const never: ResultSource = {
      ...sourceOf(new FakeBackend(), clock),
      resultBackend: () => new Promise(() => undefined),
    }
    const outcome = new AsyncResult('id-1', { app: never }).get(3).catch((error: unknown) => error)

    await clock.advance(3)

    expect(await outcome).toBeInstanceOf(TimeoutError)
  })

  it('a missing backend is told at once', async () => {
    const source: ResultSource = {
      ...sourceOf(new FakeBackend()),
      resultBackend: () => Promise.reject(new ConfigError('results are off; set backend')),
    }

    await expect(new AsyncResult('id-1', { app: source }).get(3)).rejects.toThrow('set backend')
    await expect(new AsyncResult('id-1', { app: source }).ready()).rejects.toThrow(ConfigError)
  })

  it('onProgress sees each state once, the last one included', async () => {
    const { backend, result } = scene()
    const seen: ProgressUpdate[] = []
    const getting = result.get({ onProgress: (update) => seen.push(update) })
    for (const done of [50, 50, 90]) {
      await turns()
      await backend.store([recordOf('id-1', 'PROGRESS', { result: { done } })])
    }
    await turns()
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])

    expect(await getting).toBe(3)

    expect(seen).toEqual([
      { id: 'id-1', state: 'PROGRESS', info: { done: 50 } },
      { id: 'id-1', state: 'PROGRESS', info: { done: 90 } },
      { id: 'id-1', state: 'SUCCESS', info: 3 },
    ])
  })

  it('onReady calls back with the handle once the task has ended', async () => {
    const { backend, result } = scene()
    const called: unknown[] = []
    const waiting = result.onReady((ended) => called.push(ended.result))
    await turns()
    expect(called).toEqual([])

    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])
    await waiting

    expect(called).toEqual([3])
  })

  it('a record stored before the wait began is found', async () => {
    const { backend, result } = scene()
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])

    expect(await result.get(1)).toBe(3)
  })
})

describe('get inside of a task', () => {
  it('is refused, and names both tasks', async () => {
    const { result } = scene()

    await expect(contextForTest('tasks.outer', () => result.get())).rejects.toThrow(TaskError)
    await expect(contextForTest('tasks.outer', () => result.get())).rejects.toThrow(
      /tasks\.outer waits for task id-1/,
    )
  })

  it('is allowed with disableSyncSubtasks: false, and inside of allowJoinResult', async () => {
    const { backend, result } = scene()
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 3 })])

    expect(await contextForTest('tasks.outer', () => result.get({ disableSyncSubtasks: false }))).toBe(3)
    expect(await contextForTest('tasks.outer', () => allowJoinResult(() => result.get()))).toBe(3)
  })
})
