import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { Bench } from './harness.js'
import { internalsOf } from '../../../src/util/internals.js'

/** The log that the command line writes: pino reads errors member by member. */
const log = pino({ level: 'debug' }, { write: () => undefined })

class Itself {
  toJSON(): this {
    return this
  }
}

class ThrowsInJson {
  toJSON(): never {
    throw new RangeError('not today')
  }
}

function unreadable(member: string): Error {
  return Object.defineProperty(new Error('made to trap'), member, {
    enumerable: true,
    get: () => {
      throw new RangeError('a trap')
    },
  })
}

const proxy: object = new Proxy(
  {},
  {
    getPrototypeOf: () => {
      throw new RangeError('a trap')
    },
    get: () => {
      throw new RangeError('a trap')
    },
    ownKeys: () => {
      throw new RangeError('a trap')
    },
  },
)

const results: readonly (readonly [string, unknown])[] = [
  ['a toJSON that throws', new ThrowsInJson()],
  ['a toJSON that returns itself', new Itself()],
  ['a toJSON deep inside that returns itself', { a: [{ b: new Itself() }] }],
  [
    'a getter that throws',
    {
      get trap(): never {
        throw new RangeError('a trap')
      },
    },
  ],
  ['a proxy that throws at every question', proxy],
]

const errors: readonly (readonly [string, unknown])[] = [
  ...['message', 'name', 'stack', 'cause', 'code', 'toString', 'toJSON', 'constructor'].map(
    (member) => [`an error whose ${member} throws`, unreadable(member)] as const,
  ),
  ['an error whose name is an object', Object.assign(new Error('odd'), { name: new ThrowsInJson() })],
  ['an error whose stack is no text', Object.assign(new Error('odd'), { stack: [new ThrowsInJson()] })],
  ['an error whose message is no text', Object.assign(new Error('odd'), { message: new ThrowsInJson() })],
  ['an error caused by a proxy', new Error('odd', { cause: proxy })],
  ['a proxy', proxy],
  ['an object without a prototype', Object.create(null)],
  ['a symbol', Symbol('odd')],
]

describe('a worker and values that cannot be read', () => {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)
  beforeAll(() => {
    process.on('unhandledRejection', note)
  })
  afterAll(() => {
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })

  it('ends every task that returns one', async () => {
    await using bench = new Bench()
    internalsOf(bench.app).logger = log
    const ended: string[] = []
    const options = {
      name: 'tasks.odd',
      afterReturn: ({ state }: { state: string }) => void ended.push(state),
    }
    const odd = bench.app.task(options, (index: number) => results[index]?.[1])
    const mute = bench.app.task(
      { name: 'tasks.mute', ignoreResult: true },
      (index: number) => results[index]?.[1],
    )
    const probe = bench.app.task('tasks.probe', () => 'alive')
    await bench.start({ concurrency: 1 })

    const states = new Map<string, string>()
    for (const [index, [name]] of results.entries()) {
      await mute.delay(index)
      const { id } = await odd.delay(index)
      states.set(name, (await bench.record(id, 'SUCCESS', 'FAILURE')).state)
    }

    expect(states).toEqual(new Map(results.map(([name]) => [name, 'FAILURE'])))
    expect(await (await probe.delay()).get(5)).toBe('alive')
    expect(ended).toEqual(results.map(() => 'FAILURE'))
  })

  it('ends every task that throws one', async () => {
    await using bench = new Bench()
    internalsOf(bench.app).logger = log
    const odd = bench.app.task('tasks.odd', (index: number) => {
      throw errors[index]?.[1]
    })
    const late = bench.app.task('tasks.late', async (index: number) => {
      await Promise.resolve()
      throw errors[index]?.[1]
    })
    const probe = bench.app.task('tasks.probe', () => 'alive')
    await bench.start({ concurrency: 1 })

    const states = new Map<string, string>()
    for (const [index, [name]] of errors.entries()) {
      await late.delay(index)
      const { id } = await odd.delay(index)
      states.set(name, (await bench.record(id, 'SUCCESS', 'FAILURE')).state)
    }

    expect(states).toEqual(new Map(errors.map(([name]) => [name, 'FAILURE'])))
    expect(await (await probe.delay()).get(5)).toBe('alive')
  })

  it('ends every task around which a function throws one', async () => {
    await using bench = new Bench()
    internalsOf(bench.app).logger = log
    internalsOf(bench.app).around.execute.push((execution, next) => {
      const [index] = execution.request.args
      if (typeof index === 'number') throw errors[index]?.[1]
      return next(execution)
    })
    const odd = bench.app.task('tasks.odd', (index: number) => index)
    const probe = bench.app.task('tasks.probe', () => 'alive')
    await bench.start({ concurrency: 1 })

    const states = new Map<string, string>()
    for (const [index, [name]] of errors.entries()) {
      const { id } = await odd.delay(index)
      states.set(name, (await bench.record(id, 'SUCCESS', 'FAILURE')).state)
    }

    expect(states).toEqual(new Map(errors.map(([name]) => [name, 'FAILURE'])))
    expect(await (await probe.delay()).get(5)).toBe('alive')
  })

  it('logs them for tasks and for handlers that throw them', async () => {
    await using bench = new Bench()
    internalsOf(bench.app).logger = log
    const options = {
      name: 'tasks.tell',
      bind: true,
      onSuccess: ({ value }: { value: unknown }) => {
        throw errors[Number(value)]?.[1]
      },
    } as const
    const tell = bench.app.task(options, (self, index: number) => {
      self.logger.error({ err: errors[index]?.[1], fields: proxy }, 'it went wrong')
      return index
    })
    await bench.start({ concurrency: 1 })

    const values: unknown[] = []
    for (const index of errors.keys()) values.push(await (await tell.delay(index)).get(5))

    expect(values).toEqual([...errors.keys()])
  })
})
