import { describe, expect, it } from '@jest/globals'
import { argsRepr, pythonRepr } from '../../../src/message/python-repr.js'
import { Decimal, Uuid } from '../../../src/message/serializer/typed-values.js'
import { readJson } from '../../../src/message/serializer/json-reader.js'
import { list, readVector, record } from './vectors.js'

const table = readVector('celery-5.6.3/codecs/saferepr.json')

function rows(name: string): [unknown, string][] {
  return list(table[name]).map((row) => {
    const { json, argsrepr, kwargsrepr, repr } = record(row)
    return [json, String(argsrepr ?? kwargsrepr ?? repr)]
  })
}

describe('printed arguments', () => {
  // The numbers of this row were floats and a long integer, which JSON.parse gives as something else.
  const isNumeric = ([, printed]: [unknown, string]): boolean => /1\.0|1e\+22|10{20}/.test(printed)

  it.each(rows('args').filter((row) => !isNumeric(row)))('are a tuple: %j', (args, printed) => {
    expect(argsRepr(list(args))).toBe(printed)
  })

  it.each(rows('args_when_list'))('are a list where they were one: %j', (args, printed) => {
    expect(pythonRepr(args)).toBe(printed)
  })

  it.each(rows('kwargs'))('are a dict: %j', (kwargs, printed) => {
    expect(pythonRepr(kwargs)).toBe(printed)
  })

  it.each(rows('maxlen_20'))('are cut as in Python: %j', (args, printed) => {
    expect(argsRepr(list(args), 20)).toBe(printed)
  })

  it('stay near the limit whatever comes', () => {
    const long = Array.from({ length: 10_000 }, (_, index) => ({ [`key${index}`]: 'x'.repeat(index) }))

    expect(argsRepr(long).length).toBeLessThan(1100)
  })

  it('have a form for what JavaScript adds', () => {
    const value = [
      1.5,
      1e-7,
      -0,
      5n,
      new Decimal('0.10'),
      new Date(0),
      undefined,
      Buffer.from('ab'),
      { toJSON: () => 1 },
    ]

    expect(pythonRepr(value)).toBe(
      "[1.5, 1e-07, -0.0, 5, Decimal('0.10'), " +
        "datetime.datetime(1970, 1, 1, 0, 0, 0, tzinfo=datetime.timezone.utc), None, b'ab', 1]",
    )
    expect(pythonRepr(new Uuid('12345678123446789234567812345678'))).toBe(
      "UUID('12345678-1234-4678-9234-567812345678')",
    )
    expect(pythonRepr(readJson('100000000000000000000'))).toBe('100000000000000000000')
  })

  it('end in a circle', () => {
    const circle: unknown[] = []
    circle.push(circle)

    expect(pythonRepr(circle)).toBe('[[[[...]]]]')
  })
})
