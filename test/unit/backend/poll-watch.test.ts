import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { RecordListener, ResultBackend, TaskRecord } from '../../../src/backend/contract.js'
import { waitForRecords } from '../../../src/backend/poll-watch.js'
import { BackendConnectionError, BackendError } from '../../../src/errors/errors.js'
import { ManualClock } from '../../support/manual-clock.js'

const never = new AbortController().signal

function isDone(record: TaskRecord): boolean {
  return record.state === 'SUCCESS'
}

function success(taskId: string): TaskRecord {
  return { taskId, state: 'SUCCESS', result: 1, children: [] }
}

/** Let everything that is ready run. */
async function turn(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await setImmediate()
}

/** A backend whose loads are written down. */
class FakeBackend implements ResultBackend {
  readonly name = 'fake'
  readonly shared = true
  readonly records = new Map<string, TaskRecord>()
  readonly loads: (readonly string[])[] = []
  watches = 0
  failure: Error | undefined
  changed: RecordListener[] = []
  watchesQuickly = false
  watch?: NonNullable<ResultBackend['watch']>

  constructor(pushes: boolean) {
    if (!pushes) return
    this.watch = async (_ids, changed) => {
      this.watches += 1
      this.changed.push(changed)
      return {
        close: async () => {
          this.watches -= 1
        },
      }
    }
  }

  async connect(): Promise<void> {}
  async store(records: readonly TaskRecord[]): Promise<void> {
    for (const record of records) this.records.set(record.taskId, record)
  }
  async load(taskIds: readonly string[]): Promise<ReadonlyMap<string, TaskRecord>> {
    this.loads.push(taskIds)
    await setImmediate()
    if (this.failure !== undefined) throw this.failure
    const found = taskIds.flatMap((id) => this.records.get(id) ?? [])
    return new Map(found.map((record) => [record.taskId, record]))
  }
  async forget(): Promise<void> {}
  async close(): Promise<void> {}
}

describe('waitForRecords', () => {
  it('returns at once what is there', async () => {
    const backend = new FakeBackend(true)
    await backend.store([success('a')])

    const records = await waitForRecords(backend, ['a'], { isDone, signal: never })

    expect(records.get('a')?.result).toBe(1)
    expect(backend.loads).toEqual([['a']])
    await turn()
    expect(backend.watches).toBe(0)
  })

  it('returns at once when it waits for nothing', async () => {
    expect((await waitForRecords(new FakeBackend(false), [], { isDone, signal: never })).size).toBe(0)
  })

  it('joins all waits of a moment into one load', async () => {
    const backend = new FakeBackend(false)
    await backend.store([success('a'), success('b'), success('c')])

    await Promise.all(
      [['a'], ['b', 'a'], ['c']].map((ids) => waitForRecords(backend, ids, { isDone, signal: never })),
    )

    expect(backend.loads).toEqual([['a', 'b', 'c']])
  })

  it('polls with growing pauses where nothing is pushed', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })

    const loadsAfter: number[] = []
    for (let step = 0; step < 6; step += 1) {
      await turn()
      clock.advance(500)
      await turn()
      loadsAfter.push(backend.loads.length)
    }
    await backend.store([success('a')])
    clock.advance(500)

    expect((await waiting).size).toBe(1)
    expect(loadsAfter).toEqual([2, 3, 4, 5, 6, 7])
  })

  it('looks again within milliseconds at first', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    await turn()
    await backend.store([success('a')])

    clock.advance(5)

    expect((await waiting).size).toBe(1)
  })

  it('looks once more after it has subscribed, so that nothing falls between', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(true)
    const subscribe = backend.watch
    backend.watch = async (ids, changed) => {
      const watch = await subscribe?.(ids, changed)
      // Stored after the first look and before the watch works: nobody is told.
      await backend.store([success('a')])
      return watch ?? { close: async () => {} }
    }

    const records = await waitForRecords(backend, ['a'], { isDone, signal: never, clock })

    expect(records.size).toBe(1)
  })

  it('looks at once when it is told of a change, and leaves the watch when it is over', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(true)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    await turn()
    expect(backend.watches).toBe(1)
    await backend.store([success('a')])

    for (const changed of backend.changed) changed()

    expect((await waiting).size).toBe(1)
    await turn()
    expect(backend.watches).toBe(0)
    expect(clock.waiting).toBe(0)
  })

  it('is over with the record that is pushed, and does not load it', async () => {
    const backend = new FakeBackend(true)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock: new ManualClock() })
    await turn()
    const before = backend.loads.length

    for (const changed of backend.changed) changed(success('a'))

    expect((await waiting).get('a')).toEqual(success('a'))
    expect(backend.loads).toHaveLength(before)
  })

  it('loads after a push of a record that ends nothing', async () => {
    const backend = new FakeBackend(true)
    const seen: string[] = []
    const onRecord = ({ state }: TaskRecord): number => seen.push(state)
    const clock = new ManualClock()
    const waiting = waitForRecords(backend, ['a'], { isDone, onRecord, signal: never, clock })
    await turn()
    await backend.store([{ ...success('a'), state: 'STARTED' }])

    for (const changed of backend.changed) changed({ ...success('a'), state: 'STARTED' })
    await turn()
    expect(seen).toEqual(['STARTED'])
    for (const changed of backend.changed) changed(success('a'))

    expect((await waiting).size).toBe(1)
    expect(seen).toEqual(['STARTED', 'SUCCESS'])
  })

  it('watches a few beside its first look where that is quick, and many only after it', async () => {
    const backend = new FakeBackend(true)
    backend.watchesQuickly = true
    const stop = new AbortController()
    const options = { isDone, signal: stop.signal, clock: new ManualClock() }
    const few = waitForRecords(backend, ['a'], options)
    await Promise.resolve()
    expect(backend.watches).toBe(1)

    const many = waitForRecords(
      backend,
      Array.from({ length: 17 }, (_, n) => `m-${n}`),
      options,
    )
    await Promise.resolve()
    expect(backend.watches).toBe(1)
    await turn()
    expect(backend.watches).toBe(2)

    stop.abort(new Error('enough'))
    await expect(few).rejects.toThrow('enough')
    await expect(many).rejects.toThrow('enough')
  })

  it('finds a record whose push was lost', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(true)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    await turn()
    await backend.store([success('a')])

    clock.advance(500)

    expect((await waiting).size).toBe(1)
  })

  it('polls on where a watch cannot be opened', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(true)
    backend.watch = () => Promise.reject(new BackendError('no'))
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    await turn()
    await backend.store([success('a')])

    clock.advance(5)

    expect((await waiting).size).toBe(1)
  })

  it('waits for the last of many, and shows every record on the way', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    const seen: string[] = []
    const waiting = waitForRecords(backend, ['a', 'b'], {
      isDone,
      signal: never,
      clock,
      onRecord: (record) => seen.push(`${record.taskId} ${record.state}`),
    })
    await backend.store([{ ...success('a'), state: 'STARTED' }, success('b')])
    await turn()
    await backend.store([success('a')])

    clock.advance(5)

    expect([...(await waiting).keys()].sort()).toEqual(['a', 'b'])
    expect(seen).toEqual(['a STARTED', 'b SUCCESS', 'a SUCCESS'])
  })

  it('rejects with the reason of its signal and leaves nothing behind', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(true)
    const stop = new AbortController()
    const reason = new BackendError('time is up')
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: stop.signal, clock })
    await turn()

    stop.abort(reason)

    await expect(waiting).rejects.toBe(reason)
    await turn()
    expect(backend.watches).toBe(0)
    expect(clock.waiting).toBe(0)
    await expect(waitForRecords(backend, ['a'], { isDone, signal: stop.signal, clock })).rejects.toBe(reason)
  })

  it('does not end the waits of others', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    const stop = new AbortController()
    const ended = waitForRecords(backend, ['a'], { isDone, signal: stop.signal, clock })
    const stays = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    const broken = waitForRecords(backend, ['a'], {
      isDone: () => {
        throw new BackendError('broken')
      },
      signal: never,
      clock,
    })
    const outcomes = Promise.allSettled([ended, broken])
    stop.abort()
    await backend.store([success('a')])

    clock.advance(5)

    expect((await outcomes).map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
    expect((await stays).size).toBe(1)
  })

  it('lasts through a lost connection, for a while', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    backend.failure = new BackendConnectionError('gone')
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    for (let step = 0; step < 20; step += 1) {
      await turn()
      clock.advance(500)
    }
    backend.failure = undefined
    await backend.store([success('a')])
    await turn()
    clock.advance(500)

    expect((await waiting).size).toBe(1)
  })

  it('gives up on a backend that stays away', async () => {
    const clock = new ManualClock()
    const backend = new FakeBackend(false)
    backend.failure = new BackendConnectionError('gone')
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock })
    const outcome = waiting.catch((error: unknown) => error)
    for (let step = 0; step < 70; step += 1) {
      await turn()
      clock.advance(500)
    }

    expect(await outcome).toBe(backend.failure)
  })

  it('rejects at once with an error that will not pass', async () => {
    const backend = new FakeBackend(false)
    backend.failure = new BackendError('no such table')

    await expect(waitForRecords(backend, ['a'], { isDone, signal: never })).rejects.toBe(backend.failure)
  })

  it('does not stand still when the clock is set back', async () => {
    const clock = new ManualClock()
    let offsetMs = 0
    const shifted = { now: () => clock.now() + offsetMs, setTimer: clock.setTimer.bind(clock) }
    const backend = new FakeBackend(false)
    const waiting = waitForRecords(backend, ['a'], { isDone, signal: never, clock: shifted })
    await turn()
    await backend.store([success('a')])
    offsetMs = -3_600_000

    clock.advance(5_000)

    expect((await waiting).size).toBe(1)
  })
})
