import { describe, expect, it } from '@jest/globals'

import { AsyncResult } from '../../../src/result/async-result.js'
import { EagerResult } from '../../../src/result/eager-result.js'
import type { ResultHandle } from '../../../src/result/result-handle.js'
import { FakeBackend, recordOf, sourceOf } from './fake-source.js'

const failure = new RangeError('too far')

/** The same two ends, seen through a backend and seen here. */
const kinds: readonly {
  kind: string
  succeeded: () => ResultHandle<number>
  failed: () => ResultHandle<number>
}[] = [
  {
    kind: 'AsyncResult',
    succeeded: () => stored('SUCCESS', 15),
    failed: () => stored('FAILURE', 'too far'),
  },
  {
    kind: 'EagerResult',
    succeeded: () =>
      new EagerResult<number>({ taskId: 'id-1', taskName: 'tasks.add', state: 'SUCCESS', value: 15 }),
    failed: () =>
      new EagerResult<number>({
        taskId: 'id-1',
        taskName: 'tasks.add',
        state: 'FAILURE',
        error: failure,
        traceback: 'the stack',
      }),
  },
]

function stored(state: string, result: unknown): AsyncResult<number> {
  const backend = new FakeBackend()
  const ended = { result, traceback: state === 'FAILURE' ? 'the stack' : '', doneAtMs: Date.now() }
  backend.records.set('id-1', recordOf('id-1', state, ended))
  const app = { ...sourceOf(backend), toError: () => failure }
  return new AsyncResult<number>('id-1', { app, taskName: 'tasks.add' })
}

describe.each(kinds)('the contract of results, kept by $kind', ({ succeeded, failed }) => {
  it('a success is ready and gives its value again and again', async () => {
    const result = succeeded()

    expect(result.id).toBe('id-1')
    expect(result.taskId).toBe('id-1')
    expect(result.taskName).toBe('tasks.add')
    expect(await result.state()).toBe('SUCCESS')
    expect(await result.ready()).toBe(true)
    expect(await result.successful()).toBe(true)
    expect(await result.failed()).toBe(false)
    expect([await result.get(), await result.get(3)]).toEqual([15, 15])
    expect(await result.info()).toBe(15)
    expect(result.result).toBe(15)
  })

  it('a failure throws the error, or returns it on request', async () => {
    const result = failed()

    expect(await result.status()).toBe('FAILURE')
    expect(await result.failed()).toBe(true)
    await expect(result.get()).rejects.toBe(failure)
    expect(await result.get({ propagate: false })).toBe(failure)
    expect(await result.traceback()).toBe('the stack')
    expect(result.result).toBe(failure)
  })

  it('it exists, ended at a moment, called nothing, follows nothing', async () => {
    const result = succeeded()

    expect(await result.exists()).toBe(true)
    expect(await result.dateDone()).toBeInstanceOf(Date)
    expect(await result.children()).toEqual([])
    expect(result.parent).toBeUndefined()
    expect(result.asTuple()).toEqual([['id-1', null], null])
  })

  it('onReady calls back with the handle', async () => {
    const result = succeeded()
    const called: unknown[] = []

    await result.onReady((ended) => called.push(ended.result))

    expect(called).toEqual([15])
  })

  it('forget is harmless', async () => {
    await expect(succeeded().forget()).resolves.toBeUndefined()
  })
})

describe('an EagerResult', () => {
  it('knows its value before anything is awaited', () => {
    const result = new EagerResult<number>({
      taskId: 'id-1',
      taskName: 'tasks.add',
      state: 'SUCCESS',
      value: 15,
    })

    expect(result.result).toBe(15)
  })

  it('that asked for a retry is ready, and get does not wait for a run that never comes', async () => {
    const result = new EagerResult({ taskId: 'id-1', taskName: 'tasks.add', state: 'RETRY', error: failure })

    expect(await result.ready()).toBe(true)
    expect(await result.get()).toBe(failure)
  })

  it('that threw what is no error throws an error that says it', async () => {
    const result = new EagerResult({
      taskId: 'id-1',
      taskName: 'tasks.add',
      state: 'FAILURE',
      error: 'just text',
    })

    await expect(result.get()).rejects.toThrow('just text')
  })
})
