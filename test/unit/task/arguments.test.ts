import { describe, expect, it } from '@jest/globals'

import { bindArguments, checkCall, validateArguments } from '../../../src/task/arguments.js'
import { TaskArgumentsError } from '../../../src/errors/errors.js'
import { z } from 'zod'
import { definitionOf } from './support.js'

const add = (x: number, y: number): number => x + y

describe('arguments without params', () => {
  it('arrive as they were sent', () => {
    expect(bindArguments(definitionOf({}, add), [1, 2], {})).toEqual([1, 2])
  })

  it('get non-empty keyword arguments as one trailing object', () => {
    expect(bindArguments(definitionOf({}, add), [1], { y: 2 })).toEqual([1, { y: 2 }])
  })

  it.each([[[1]], [[1, 2, 3]]])('refuse a wrong number of them: %j', (args) => {
    expect(() => bindArguments(definitionOf({}, add), args, {})).toThrow(TaskArgumentsError)
  })

  it('may leave out what has a default, and be as many as a rest parameter takes', () => {
    const withDefault = definitionOf({}, (x: number, y = 3) => x + y)
    const withRest = definitionOf({}, (...all: number[]) => all.length)

    expect(bindArguments(withDefault, [1], {})).toEqual([1])
    expect(bindArguments(withRest, [1, 2, 3, 4], {})).toEqual([1, 2, 3, 4])
  })

  it('do not count self of a bound task', () => {
    const bound = definitionOf({ bind: true }, (_self: unknown, x: number) => x)

    expect(bound.arity).toEqual({ least: 1, most: 1 })
  })
})

describe('arguments with params', () => {
  const definition = definitionOf({ params: ['x', 'y', 'z?'] }, (x: number, y: number, z?: number) => [
    x,
    y,
    z,
  ])

  it('are bound by name to their positions', () => {
    expect(bindArguments(definition, [1], { y: 2 })).toEqual([1, 2])
  })

  it('leave a hole as undefined', () => {
    const optional = definitionOf({ params: ['x?', 'y?'] }, (x?: number, y?: number) => [x, y])

    expect(bindArguments(optional, [], { y: 2 })).toEqual([undefined, 2])
  })

  it.each([
    [[], { x: 1 }, "missing 1 required argument: 'y'"],
    [[], {}, "missing 2 required arguments: 'x', 'y'"],
    [[1, 2], { w: 1 }, "got an unexpected keyword argument 'w'"],
    [[1, 2], { x: 1 }, "got multiple values for argument 'x'"],
    [[1, 2, 3, 4], {}, 'takes 2 to 3 arguments but 4 were given'],
  ])('are refused with the words of Python: %j %j', (args, kwargs, text) => {
    expect(() => bindArguments(definition, args, kwargs)).toThrow(`tests.body() ${text}`)
  })
})

describe('a schema', () => {
  const definition = definitionOf({ args: z.tuple([z.coerce.number(), z.number()]) }, add)

  it('converts arguments in the worker', async () => {
    expect(await validateArguments(definition, ['1', 2])).toEqual([1, 2])
  })

  it('refuses a call with the issues it found', async () => {
    await expect(checkCall(definition, [1, 'two'], {})).rejects.toMatchObject({
      code: 'LOVAGE_TASK_ARGUMENTS',
      issues: [expect.objectContaining({ path: [1] })],
    })
  })

  it('fills in what is left out', async () => {
    const schema = z.tuple([z.number(), z.string().default('EUR')])
    const pay = definitionOf({ args: schema }, (amount: number, currency: string) => `${amount} ${currency}`)

    await expect(checkCall(pay, [5], {})).resolves.toBeUndefined()
    expect(await validateArguments(pay, bindArguments(pay, [5], {}))).toEqual([5, 'EUR'])
  })

  it('sees keyword arguments bound to their parameters, at the call too', async () => {
    const named = definitionOf({ params: ['x', 'y'], args: z.tuple([z.number(), z.number()]) }, add)

    await expect(checkCall(named, [1], { y: 2 })).resolves.toBeUndefined()
    await expect(checkCall(named, [1], { y: 'two' })).rejects.toBeInstanceOf(TaskArgumentsError)
  })

  it('is checked although typing is off', async () => {
    const loose = definitionOf({ typing: false, args: z.tuple([z.number(), z.number()]) }, add)

    await expect(checkCall(loose, [1], {})).rejects.toBeInstanceOf(TaskArgumentsError)
  })
})

describe('strictTyping: false', () => {
  it('leaves the choice to the task', async () => {
    const strict = definitionOf({ typing: true }, add)

    await expect(checkCall(definitionOf({}, add), [1], {}, false)).resolves.toBeUndefined()
    await expect(checkCall(strict, [1], {}, false)).rejects.toBeInstanceOf(TaskArgumentsError)
  })
})

describe('typing: false', () => {
  it('lets any number of arguments pass at the call', async () => {
    await expect(checkCall(definitionOf({ typing: false }, add), [1], {})).resolves.toBeUndefined()
  })
})
