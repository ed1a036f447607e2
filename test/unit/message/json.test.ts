import { describe, expect, it } from '@jest/globals'
import { DecodeError, EncodeError } from '../../../src/errors/errors.js'
import { CustomTypes } from '../../../src/message/serializer/custom-types.js'
import { readJson } from '../../../src/message/serializer/json-reader.js'
import { MAX_JSON_DEPTH, writeJson } from '../../../src/message/serializer/json-writer.js'
import {
  Decimal,
  PlainDate,
  PlainTime,
  Uuid,
  WireDate,
} from '../../../src/message/serializer/typed-values.js'
import { readVector, record, text } from './vectors.js'

const table = readVector('celery-5.6.3/codecs/kombu-json.json')
const cases = Object.entries(record(table['cases'])).map(([name, value]) => [name, text(value)] as const)

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}

describe('values that kombu wrote', () => {
  const cannot = ['nan', 'inf']
  // Not distinguishable from other values in JavaScript: `2.0` is `2`.
  const changes = ['float_int']

  it.each(cases.filter(([name]) => !cannot.includes(name) && !changes.includes(name)))(
    'are written as they were read: %s',
    (_name, json) => {
      expect(writeJson(readJson(json))).toBe(json)
    },
  )

  it('are JavaScript values of their own', () => {
    const read = (name: string): unknown => readJson(cases.find(([key]) => key === name)?.[1] ?? '')

    expect(read('dt_utc')).toBeInstanceOf(WireDate)
    expect(read('dt_utc')).toEqual(new Date('2024-02-29T12:30:45.123Z'))
    expect(read('dt_offset')).toEqual(new Date('2024-02-29T16:00:45Z'))
    expect(read('dt_naive')).toEqual(new Date('2024-02-29T12:30:45Z'))
    expect(String(read('date'))).toBe('2024-02-29')
    expect(read('date')).toBeInstanceOf(PlainDate)
    expect(String(read('time_us'))).toBe('01:02:03.000004')
    expect(read('time_us')).toBeInstanceOf(PlainTime)
    expect(String(read('uuid4'))).toBe('12345678-1234-4678-9234-567812345678')
    expect(read('decimal2')).toBeInstanceOf(Decimal)
    expect(JSON.stringify(read('decimal2'))).toBe('"0.10"')
    expect(read('bytes_bin')).toEqual(Buffer.from([0, 255]))
    expect(read('big')).toBe(12345678901234567890n)
    expect(read('nan')).toBeNaN()
    expect(read('inf')).toBe(Infinity)
  })

  it('are read in their older form with a version', () => {
    for (const json of Object.values(record(table['decode_only'])))
      expect(readJson(text(json))).toBeInstanceOf(Uuid)
  })
})

describe('values of JavaScript', () => {
  it.each([
    ['a Date', new Date('2024-02-29T12:30:45.123Z')],
    ['a Date before the epoch', new Date('1933-02-28T00:00:00.001Z')],
    ['bytes', Buffer.from([0, 1, 254, 255])],
    ['bytes that are text', Buffer.from('héllo')],
    ['a BigInt beyond 64 bits', 2n ** 70n],
    ['a negative BigInt', -(2n ** 60n)],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['an unsafe integer number', 2 ** 53],
    ['a large integer number', 1e20],
    ['a huge number', 1.5e300],
    ['a tiny number', 1e-7],
    ['minus zero', -0],
    ['a fraction of 17 digits', 0.1 + 0.2],
    ['a text with every kind of character', 'a"\\/\b\f\n\r\t\u0000\u007f\u00e9\u2028🌿'],
    ['a lone surrogate', '\ud800'],
    ['empty containers', { a: [], b: {} }],
    ['keys that need quotes', { 'a b': 1, '': 2, 'ü"': 3, constructor: 4, toString: 5 }],
    ['a Decimal', new Decimal('1.10')],
    ['a Uuid', new Uuid('12345678-1234-4678-9234-567812345678')],
  ])('come back the same: %s', (_name, value) => {
    expect(readJson(writeJson(value))).toEqual(value)
  })

  it.each([
    ['undefined in an array becomes null', [undefined, 1], '[null, 1]'],
    ['a hole becomes null', Array(2), '[null, null]'],
    ['undefined in an object is left out', { a: undefined, b: 1 }, '{"b": 1}'],
    ['undefined alone is null', undefined, 'null'],
    ['toJSON is honoured', { at: { toJSON: () => [1] } }, '{"at": [1]}'],
    [
      'a Date has six digits and an offset',
      new Date(0),
      typed('datetime', '1970-01-01T00:00:00.000000+00:00'),
    ],
    ['a BigInt is a bare number', [1n], '[1]'],
    ['an object without a prototype is plain', Object.assign(Object.create(null), { a: 1 }), '{"a": 1}'],
    ['a small fraction has Python’s exponent', [0.00001, 1e-7], '[1e-05, 1e-07]'],
  ])('have a written form: %s', (_name, value, json) => {
    expect(writeJson(value)).toBe(json)
  })

  const circle: Record<string, unknown> = {}
  circle['self'] = circle

  it.each([
    ['a function', { f: () => 1 }, 'value.f'],
    ['a symbol', [Symbol('s')], 'value[0]'],
    ['NaN', { a: [1, Number.NaN] }, 'value.a[1]'],
    ['Infinity', [-Infinity], 'value[0]'],
    ['a Map', { a: { 'b c': new Map() } }, 'value.a["b c"]'],
    ['a Set', [new Set([1])], 'value[0]'],
    ['an Error', [new TypeError('x')], 'value[0]'],
    ['a class instance', { s: new (class Socket {})() }, 'value.s as json: it is an instance of Socket'],
    ['an invalid Date', [new Date(Number.NaN)], 'value[0]'],
    ['another typed array', [new Float64Array(1)], 'value[0]'],
    ['a circle', circle, 'cannot write the value as json: value.self is circular'],
    ['a lookalike of a typed value', { a: { __type__: 'x', __value__: 1 } }, 'value.a'],
    [
      'a toJSON that throws',
      [{ toJSON: () => JSON.parse('{') as unknown }],
      'value[0] as json: its toJSON threw',
    ],
  ])('are refused with their path: %s', (_name, value, path) => {
    const write = (): string => writeJson(value)

    expect(write).toThrow(EncodeError)
    expect(write).toThrow(path)
  })

  it('are refused with the name of the argument', () => {
    const write = (): string => writeJson([[1, { socket: () => 1 }], {}], undefined, ['args', 'kwargs'])

    expect(write).toThrow('cannot write args[1].socket as json: it is a function')
  })

  it('name the shortest way to a circle', () => {
    const far: Record<string, unknown> = {}
    const near: Record<string, unknown> = { a: { b: { c: far } }, list: [0, far] }
    far['self'] = far
    near['me'] = near

    const inArgument = (): string => writeJson([[far], {}], undefined, ['args', 'kwargs'])
    expect(inArgument).toThrow(new EncodeError('cannot write the value as json: args[0].self is circular'))
    expect(() => writeJson(near)).toThrow('value.me is circular')
  })

  it('say that they nest too deep when there is no circle', () => {
    let reads = 0
    let deep: unknown = 1
    for (let level = 0; level < 900; level += 1) {
      const inner = deep
      const get = (): unknown => {
        reads += 1
        return inner
      }
      deep = Object.defineProperty([], 0, { get, enumerable: true })
    }

    expect(() => writeJson(deep)).toThrow('it nests deeper than 800 levels')
    // The search for the shortest circle gives up after 100,000 steps; without that it would read the square of the depth.
    expect(reads).toBeLessThan(110_000)
  })

  it('keep microseconds until they are set to another time', () => {
    const date = readJson(typed('datetime', '2024-02-29T12:30:45.123456-03:30'))

    expect(writeJson(date)).toContain('45.123456-03:30')
    if (date instanceof Date) date.setUTCSeconds(0)
    expect(writeJson(date)).toContain('2024-02-29T16:00:00.123000+00:00')
  })
})

function typed(marker: string, value: string): string {
  return `{"__type__": "${marker}", "__value__": "${value}"}`
}

describe('registered types', () => {
  class Money {
    readonly cents: number
    constructor(cents: number) {
      this.cents = cents
    }
  }
  const custom = new CustomTypes()
  custom.register({
    type: Money,
    marker: 'money',
    encode: (money: Money) => money.cents,
    decode: (data) => new Money(Number(data)),
  })

  it('come back as instances', () => {
    expect(readJson(writeJson({ price: new Money(5) }, custom), custom)).toEqual({ price: new Money(5) })
  })

  it('are an error where they are not registered', () => {
    expect(() => readJson('{"__type__": "money", "__value__": 5}')).toThrow(DecodeError)
    expect(() => readJson('{"__type__": "money", "__value__": 5}')).toThrow(/"money"/)
  })

  it('cannot take a marker of kombu', () => {
    const register = (): void => {
      custom.register({ type: Money, marker: 'uuid', encode: () => 1, decode: () => new Money(1) })
    }
    expect(register).toThrow(/"uuid" is taken/)
  })
})

describe('hostile JSON', () => {
  it.each([
    ['nothing', ''],
    ['half a text', '["a'],
    ['a trailing comma', '[1,]'],
    ['two values', '1 2'],
    ['a bare word', 'nul'],
    ['a leading zero', '[01, 1234567890123456789]'],
    ['a raw newline in a text', '["a\nb", 12345678901234567890]'],
    ['a bad escape', '["\\x", 12345678901234567890]'],
    ['an unknown type', '{"__type__": "evil", "__value__": 1}'],
    ['a type of a wrong kind', '{"__type__": 1, "__value__": 1}'],
    ['a type with wrong data', '{"__type__": "datetime", "__value__": "soon"}'],
    ['a uuid that is none', '{"__type__": "uuid", "__value__": {"hex": "xyz"}}'],
    ['a type named like an inherited member', '{"__type__": "constructor", "__value__": 1}'],
    ['a number of 100,000 digits', '9'.repeat(100_000)],
    ['a nest of 10,000 arrays', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['a nest of 10,000 objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
    ['an open nest', '['.repeat(100_000)],
  ])('is refused with a DecodeError: %s', (_name, json) => {
    expect(() => readJson(json)).toThrow(DecodeError)
  })

  it('nests as deep as it may be written, and no deeper', () => {
    const deepest = nested(MAX_JSON_DEPTH)

    expect(readJson(writeJson(deepest))).toEqual(deepest)
    expect(() => writeJson(nested(MAX_JSON_DEPTH + 1))).toThrow(EncodeError)
    expect(() => writeJson(nested(10_000))).toThrow(EncodeError)
  })

  it('does not count brackets inside of texts', () => {
    const value = ['['.repeat(5000), '\\"[['.repeat(1000)]

    expect(readJson(writeJson(value))).toEqual(value)
  })

  it.each([
    ['plain', '{"__proto__": {"polluted": 1}, "a": 2}'],
    ['escaped', '{"\\u005f_proto__": {"polluted": 1}, "a": 2}'],
    ['beside a long number', '{"__proto__": {"polluted": 1}, "a": 2, "b": 12345678901234567890}'],
    ['nested', '{"x": [{"__proto__": {"polluted": 1}}]}'],
  ])('loses its prototype key: %s', (_name, json) => {
    const value = readJson(json)

    expect(Reflect.get({}, 'polluted')).toBeUndefined()
    expect(record(value)['polluted']).toBeUndefined()
    expect(
      JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? 0 : item)),
    ).not.toContain('polluted')
  })

  it('keeps a constructor key as data', () => {
    const value = readJson('{"constructor": {"prototype": {"polluted": 1}}}')

    expect(Object.hasOwn(record(value), 'constructor')).toBe(true)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  it('finds a type behind an escape', () => {
    expect(readJson('{"\\u005f_type__": "decimal", "__value__": "1"}')).toBeInstanceOf(Decimal)
  })
})
