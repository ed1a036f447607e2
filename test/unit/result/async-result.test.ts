import { describe, expect, it } from '@jest/globals'

import { TaskFailedError, TaskRevokedError } from '../../../src/errors/errors.js'
import { AsyncResult } from '../../../src/result/async-result.js'
import { FakeBackend, recordOf, sourceOf } from './fake-source.js'

function resultOf<Value>(backend: FakeBackend, id = 'id-1'): AsyncResult<Value> {
  return new AsyncResult<Value>(id, { app: sourceOf(backend), taskName: 'tasks.add' })
}

describe('an AsyncResult that asks', () => {
  it('an unknown id is PENDING, does not exist, and has nothing to tell', async () => {
    const result = resultOf(new FakeBackend())

    expect(await result.state()).toBe('PENDING')
    expect(await result.status()).toBe('PENDING')
    expect(await result.ready()).toBe(false)
    expect(await result.exists()).toBe(false)
    expect(await result.info()).toBeUndefined()
    expect(await result.children()).toEqual([])
    expect(result.result).toBeUndefined()
  })

  it('ready is false while the task runs and true after it, as often as asked', async () => {
    const backend = new FakeBackend()
    const result = resultOf<number>(backend)
    await backend.store([recordOf('id-1', 'STARTED', { result: { pid: 1 } })])

    const before = [await result.ready(), await result.ready()]
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 15 })])
    const after = [await result.ready(), await result.ready()]

    expect(before).toEqual([false, false])
    expect(after).toEqual([true, true])
    expect(await result.successful()).toBe(true)
    expect(await result.failed()).toBe(false)
  })

  it('a seen end is never asked for again', async () => {
    const backend = new FakeBackend()
    const result = resultOf<number>(backend)
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 15 })])
    expect(await result.get()).toBe(15)
    const loads = backend.loads

    expect(await result.get()).toBe(15)
    expect(await result.state()).toBe('SUCCESS')
    expect(result.result).toBe(15)
    expect(backend.loads).toBe(loads)
  })

  it('a failure tells its error, its stack and its moment', async () => {
    const backend = new FakeBackend()
    const result = resultOf(backend)
    await backend.store([
      recordOf('id-1', 'FAILURE', { result: 'broken', traceback: 'the stack', doneAtMs: 1000 }),
    ])

    expect(await result.failed()).toBe(true)
    expect(await result.successful()).toBe(false)
    expect(await result.info()).toBeInstanceOf(TaskFailedError)
    expect(await result.traceback()).toBe('the stack')
    expect(await result.dateDone()).toEqual(new Date(1000))
    expect(result.result).toBe(await result.info())
  })

  it('info has the metadata of a state of one’s own', async () => {
    const backend = new FakeBackend()
    await backend.store([recordOf('id-1', 'PROGRESS', { result: { done: 1, of: 2 } })])

    expect(await resultOf(backend).info()).toEqual({ done: 1, of: 2 })
  })

  it('extended fields are those that were stored, and the stored name is known from then on', async () => {
    const backend = new FakeBackend()
    const extended = {
      name: 'tasks.mul',
      args: [5, 10],
      kwargs: { z: 1 },
      worker: 'w@host',
      retries: 2,
      queue: 'math',
    }
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 50, extended })])
    const result = new AsyncResult('id-1', { app: sourceOf(backend) })
    expect(result.taskName).toBeUndefined()

    expect(await result.args()).toEqual([5, 10])
    expect(await result.kwargs()).toEqual({ z: 1 })
    expect(await result.worker()).toBe('w@host')
    expect(await result.retries()).toBe(2)
    expect(await result.queue()).toBe('math')
    expect(result.taskName).toBe('tasks.mul')
  })

  it('extended fields are undefined where none are stored, and the caller’s name stays', async () => {
    const backend = new FakeBackend()
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 50 })])
    const result = resultOf(backend)

    expect(await result.args()).toBeUndefined()
    expect(await result.retries()).toBeUndefined()
    expect(result.taskName).toBe('tasks.add')
  })

  it('children are handles, with the members of a group in its place', async () => {
    const backend = new FakeBackend()
    const group = [
      ['g', null],
      [
        [['b', null], null],
        [['c', null], null],
      ],
    ]
    await backend.store([
      recordOf('id-1', 'SUCCESS', { children: [[['a', [['p', null], null]], null], group] }),
    ])
    await backend.store([recordOf('a', 'SUCCESS', { result: 'from a' })])

    const children = await resultOf(backend).children()

    expect(children.map((child) => child.id)).toEqual(['a', 'b', 'c'])
    expect(children[0]?.parent?.id).toBe('p')
    expect(await children[0]?.get()).toBe('from a')
  })

  it('forget deletes the record and what the handle knew', async () => {
    const backend = new FakeBackend()
    const result = resultOf<number>(backend)
    await backend.store([recordOf('id-1', 'SUCCESS', { result: 15 })])
    await result.get()

    await result.forget()

    expect(await result.state()).toBe('PENDING')
    expect(result.result).toBeUndefined()
  })

  it('its tuple nests the result it follows', () => {
    const app = sourceOf(new FakeBackend())
    const parent = new AsyncResult('p', { app })

    expect(new AsyncResult('a', { app, parent }).asTuple()).toEqual([['a', [['p', null], null]], null])
  })

  it('it is not thenable: awaiting it gives the handle', async () => {
    const result = resultOf<number>(new FakeBackend())

    expect(await Promise.resolve(result)).toBe(result)
    expect('then' in result).toBe(false)
  })

  it('a failure is thrown as the same error every time, and returned on request', async () => {
    const backend = new FakeBackend()
    const result = resultOf<number>(backend)
    await backend.store([recordOf('id-1', 'FAILURE', { result: 'broken' })])

    const thrown: unknown = await result.get().catch((error: unknown) => error)
    const returned = await result.get({ propagate: false })

    expect(thrown).toBeInstanceOf(TaskFailedError)
    expect(returned).toBe(thrown)
    await expect(result.get()).rejects.toBe(thrown)
  })

  it('a revoked task throws TaskRevokedError', async () => {
    const backend = new FakeBackend()
    await backend.store([recordOf('id-1', 'REVOKED', { result: 'expired' })])

    await expect(resultOf(backend).get()).rejects.toThrow(TaskRevokedError)
  })
})
