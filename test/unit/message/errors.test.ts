import { describe, expect, it } from '@jest/globals'
import {
  ChordError,
  ConfigError,
  LovageError,
  MaxRetriesError,
  TaskArgumentsError,
  TaskFailedError,
  TaskNotRegisteredError,
  TaskRevokedError,
  TimeLimitError,
} from '../../../src/errors/errors.js'
import { describeError } from '../../../src/message/error/describe-error.js'
import { ErrorRegistry } from '../../../src/message/error/error-registry.js'
import { rebuildError } from '../../../src/message/error/rebuild-error.js'
import { formatTraceback } from '../../../src/message/error/traceback.js'
import { readVectors, record } from './vectors.js'

class PaymentError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const registry = new ErrorRegistry()
registry.register(PaymentError, {
  excModule: 'shop.errors',
  excType: 'PaymentError',
  excMessage: (error) => [error.status, error.message],
})

function rebuild(description: unknown): Error {
  return rebuildError(description, { taskId: 'id-1', traceback: 'Traceback…', registry })
}

class Unnamed extends Error {}

describe('describeError', () => {
  it.each([
    ['TypeError', new TypeError('boom'), 'builtins', 'TypeError', ['boom']],
    ['RangeError', new RangeError('boom'), 'builtins', 'ValueError', ['boom']],
    ['SyntaxError', new SyntaxError('boom'), 'builtins', 'SyntaxError', ['boom']],
    ['URIError', new URIError('boom'), 'builtins', 'ValueError', ['boom']],
    ['ReferenceError', new ReferenceError('boom'), 'builtins', 'NameError', ['boom']],
    ['Error', new Error('boom'), 'lovage.errors', 'Error', ['boom']],
    ['a class', new Unnamed('boom'), 'lovage.errors', 'Unnamed', ['boom']],
    [
      'a name of its own',
      Object.assign(new Error('x'), { name: 'HTTPError' }),
      'lovage.errors',
      'HTTPError',
      ['x'],
    ],
    [
      'a registered class',
      new PaymentError(402, 'no money'),
      'shop.errors',
      'PaymentError',
      [402, 'no money'],
    ],
    ['arguments', new TaskArgumentsError('missing x'), 'builtins', 'TypeError', ['missing x']],
    [
      'no such task',
      new TaskNotRegisteredError('a.b', 'no task'),
      'celery.exceptions',
      'NotRegistered',
      ['a.b'],
    ],
    ['retries', new MaxRetriesError('done'), 'celery.exceptions', 'MaxRetriesExceededError', ['done']],
    ['revoked', new TaskRevokedError('expired'), 'celery.exceptions', 'TaskRevokedError', ['expired']],
    ['the soft limit', new TimeLimitError('x', true), 'billiard.exceptions', 'SoftTimeLimitExceeded', ['x']],
    ['the hard limit', new TimeLimitError('x', false), 'billiard.exceptions', 'TimeLimitExceeded', ['x']],
    ['a chord', new ChordError('x'), 'celery.exceptions', 'ChordError', ['x']],
    ['another of Lovage', new LovageError('x'), 'lovage.errors', 'LovageError', ['x']],
    ['a text', 'thrown', 'lovage.errors', 'Error', ['thrown']],
    ['nothing', undefined, 'lovage.errors', 'Error', [undefined]],
  ])('writes %s', (_name, error, module, type, args) => {
    expect(describeError(error, registry)).toEqual({ exc_type: type, exc_message: args, exc_module: module })
  })

  it('replaces arguments that cannot be written by their printed form, one by one', () => {
    const own = new ErrorRegistry()
    own.register(Unnamed, { excModule: 'm', excType: 'T', excMessage: () => ['bad', () => 1, new Map()] })

    expect(describeError(new Unnamed('x'), own).exc_message).toEqual(['bad', expect.any(String), '{}'])
  })

  it('gives a subclass its own registration', () => {
    class Declined extends PaymentError {}
    const own = new ErrorRegistry()
    own.register(PaymentError, { excModule: 'm', excType: 'Base' })
    own.register(Declined, { excModule: 'm', excType: 'Declined' })

    expect(describeError(new Declined(1, 'x'), own).exc_type).toBe('Declined')
    expect(describeError(new PaymentError(1, 'x'), own).exc_type).toBe('Base')
  })

  it('refuses one name for two classes', () => {
    expect(() => {
      registry.register(Unnamed, { excModule: 'shop.errors', excType: 'PaymentError' })
    }).toThrow(ConfigError)
  })
})

describe('rebuildError', () => {
  it('gives a registered class back with its fields', () => {
    const error = rebuild(describeError(new PaymentError(402, 'no money'), registry))

    expect(error).toBeInstanceOf(PaymentError)
    expect(error).toMatchObject({ status: 402, message: 'no money' })
    expect(error.cause).toMatchObject({
      taskId: 'id-1',
      remote: { traceback: 'Traceback…', args: [402, 'no money'] },
    })
  })

  it.each([
    [new MaxRetriesError('x'), MaxRetriesError],
    [new TaskRevokedError('x'), TaskRevokedError],
    [new TimeLimitError('x', true), TimeLimitError],
    [new TimeLimitError('x', false), TimeLimitError],
    [new ChordError('x'), ChordError],
    [new TypeError('x'), TypeError],
    [new SyntaxError('x'), SyntaxError],
  ])('gives %p back as its class', (error, errorClass) => {
    const again = rebuild(describeError(error, registry))

    expect(again).toBeInstanceOf(errorClass)
    expect(again).toMatchObject({ message: 'x', ...('soft' in error ? { soft: error.soft } : {}) })
    expect(again.cause).toBeInstanceOf(TaskFailedError)
  })

  it('knows the task that is not registered', () => {
    const again = rebuild({
      exc_type: 'NotRegistered',
      exc_message: ['a.b'],
      exc_module: 'celery.exceptions',
    })

    expect(again).toBeInstanceOf(TaskNotRegisteredError)
    expect(again).toMatchObject({ taskName: 'a.b', message: expect.stringContaining('a.b') })
  })

  it.each([
    [
      'one argument',
      { exc_type: 'ValueError', exc_message: ['boom'], exc_module: 'builtins' },
      'ValueError: boom',
    ],
    ['several arguments', { exc_type: 'E', exc_message: [42, 'no'], exc_module: 'm' }, "E: (42, 'no')"],
    ['no arguments', { exc_type: 'E', exc_message: [], exc_module: 'm' }, 'E'],
    ['a text', { exc_type: 'E', exc_message: 'boom', exc_module: 'm' }, 'E: boom'],
    ['no module', { exc_type: 'E', exc_message: ['boom'] }, 'E: boom'],
    ['null', null, 'Exception'],
    ['a bare text', 'boom', 'Exception: boom'],
    ['no type', { exc_message: ['boom'] }, 'Exception: boom'],
    ['an empty object', {}, 'Exception'],
    ['wrong kinds', { exc_type: 1, exc_module: [], exc_message: { a: 1 } }, "Exception: {'a': 1}"],
  ])('gives a TaskFailedError for %s', (_name, description, message) => {
    const error = rebuild(description)

    expect(error).toBeInstanceOf(TaskFailedError)
    expect(error.message).toBe(message)
  })

  it('survives a constructor that refuses', () => {
    const own = new ErrorRegistry()
    class Picky extends Error {
      constructor(value: unknown) {
        super('x')
        if (typeof value !== 'number') throw new TypeError('no')
      }
    }
    own.register(Picky, { excModule: 'm', excType: 'Picky' })
    const description = { exc_type: 'Picky', exc_message: ['boom'], exc_module: 'm' }

    const error = rebuildError(description, { taskId: 'x', traceback: undefined, registry: own })

    expect(error).toBeInstanceOf(TaskFailedError)
    expect(error.message).toContain('boom')
  })

  it('reads every recorded failure, and describes it again alike', () => {
    const own = new ErrorRegistry()
    let count = 0
    for (const version of ['5.2.6', '5.6.3', '5.7.0']) {
      for (const vector of readVectors(`celery-${version}/redis-results`).values()) {
        const { result } = record(vector['final_json'] ?? {})
        if (typeof result !== 'object' || result === null || !('exc_type' in result)) continue
        const error = rebuildError(result, { taskId: 'x', traceback: undefined, registry: own })
        const failed = error instanceof TaskFailedError ? error : error.cause
        expect(describeError(failed, own)).toEqual(result)
        count += 1
      }
    }
    expect(count).toBeGreaterThan(20)
  })
})

describe('what Python has no field for', () => {
  const throughJson = (error: unknown): Error =>
    rebuild(JSON.parse(JSON.stringify(describeError(error, registry))))

  it('comes back: the chain of causes with their classes and codes', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const payment = new PaymentError(502, 'no answer')
    payment.cause = refused
    const thrown = new RangeError('charge failed', { cause: payment })

    const read = throughJson(thrown)

    expect(read).toBeInstanceOf(TaskFailedError)
    expect(read.cause).toBeInstanceOf(PaymentError)
    expect(read.cause).toMatchObject({ status: 502, message: 'no answer' })
    expect(read.cause).toMatchObject({ cause: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' } })
  })

  it('comes back: the code of an error of a class that is known here', () => {
    const read = throughJson(Object.assign(new TypeError('bad'), { code: 'ERR_INVALID_ARG_TYPE' }))

    expect(read).toBeInstanceOf(TypeError)
    expect(read).toMatchObject({ message: 'bad', code: 'ERR_INVALID_ARG_TYPE' })
  })

  it('comes back: the errors of an aggregate, and the code of the whole', () => {
    const whole = new AggregateError(
      [new RangeError('one'), 'two', new PaymentError(1, 'three')],
      'all failed',
    )
    const read = throughJson(Object.assign(whole, { code: 7 }))

    if (!(read instanceof TaskFailedError)) throw read
    const errors = read.remote.errors ?? []
    expect(read.remote.code).toBe(7)
    expect(errors.map((error) => [error.constructor.name, error.message])).toEqual([
      ['RangeError', 'one'],
      ['Error', 'two'],
      ['PaymentError', 'three'],
    ])
  })

  it('leaves Celery’s fields as they are, and ends in a circle of causes', () => {
    const thrown = new RangeError('round')
    thrown.cause = thrown

    const { lovage, ...fields } = describeError(thrown, registry)

    expect(fields).toEqual({ exc_type: 'ValueError', exc_message: ['round'], exc_module: 'builtins' })
    expect(JSON.stringify(lovage).match(/"cause"/g)).toHaveLength(5)
    expect(describeError(new RangeError('plain'), registry)).not.toHaveProperty('lovage')
  })
})

describe('formatTraceback', () => {
  it('has the stack and ends with type and message', () => {
    const lines = formatTraceback(new PaymentError(1, 'no money')).split('\n')

    expect(lines[0]).toMatch(/^Traceback/)
    expect(lines[1]).toMatch(/^\s+at /)
    expect(lines.slice(-2)).toEqual(['PaymentError: no money', ''])
  })

  it('puts causes first, and ends in a circle of them', () => {
    const error: Error = new TypeError('outer', { cause: new RangeError('inner') })

    expect(formatTraceback(error)).toMatch(/RangeError: inner\n\nThe above exception [^]*TypeError: outer\n$/)
    error.cause = error
    expect(formatTraceback(error)).toMatch(/TypeError: outer\n$/)
  })

  it('has a form for what is no error', () => {
    expect(formatTraceback('boom')).toMatch(/Error: boom\n$/)
    expect(formatTraceback(1n)).toMatch(/Error: bigint\n$/)
  })
})
