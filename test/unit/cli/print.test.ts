import { expect, test } from '@jest/globals'

import { printJson, shownValue, table } from '../../../src/cli/print.js'

test('JSON output is one line, with maps as objects and big integers as text', () => {
  const written: string[] = []

  printJson({ write: (text) => written.push(text) }, { count: 5n, queues: new Map([['a', 1]]) })

  expect(written).toEqual(['{"count":"5","queues":{"a":1}}\n'])
})

test('text is shown as it is, other values as Node shows them', () => {
  expect(shownValue('two words')).toBe('two words')
  expect(shownValue({ a: [1] })).toBe('{ a: [ 1 ] }')
})

test('columns of a table are as wide as their widest cell', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a    bb\nccc  d\n')
})
