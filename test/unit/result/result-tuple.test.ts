import { describe, expect, it } from '@jest/globals'

import { flattenGroups, parseResultTuple, parseTuples, taskTuple } from '../../../src/result/result-tuple.js'

describe('result tuples', () => {
  it('a tuple is read with the results it follows', () => {
    const parsed = parseResultTuple([['a', [['p', null], null]], null])

    expect(parsed).toEqual({
      id: 'a',
      parent: { id: 'p', parent: undefined, members: undefined },
      members: undefined,
    })
  })

  it('a bare id of old is read, as the whole and in first place', () => {
    expect(parseResultTuple('a')?.id).toBe('a')
    expect(parseResultTuple(['a', null])?.id).toBe('a')
  })

  it('what is no tuple is left out of a list', () => {
    expect(
      parseTuples([null, 7, {}, [], [[7, null], null], [['a', null], null]]).map(({ id }) => id),
    ).toEqual(['a'])
  })

  it('a group is replaced by its members, also inside of a group', () => {
    const inner = [['g2', null], [[['c', null], null]]]
    const group = [
      ['g1', null],
      [[['a', null], null], [['b', null], null], inner],
    ]

    expect(flattenGroups(parseTuples([group])).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  it('a written tuple nests its parent', () => {
    expect(taskTuple('a', taskTuple('p', undefined))).toEqual([['a', [['p', null], null]], null])
  })
})
