import { expect, it } from '@jest/globals'

import { printJson, shownValue, table } from '../../../src/cli/print.js'

it('JSON output is one line, with maps as objects and big integers as text', () => {
  const written: string[] = []

  printJson({ write: (text) => written.push(text) }, { count: 5n, queues: new Map([['a', 1]]) })

  expect(written).toEqual(['{"count":"5","queues":{"a":1}}\n'])
})

it('text is shown on one line, other values as Node shows them', () => {
  expect(shownValue('two words')).toBe('two words')
  expect(shownValue('two\nlines\u001b[31m\u009b\u202e')).toBe('two\\nlines\\u001b[31m\\u009b\\u202e')
  expect(shownValue({ a: [1] })).toBe('{ a: [ 1 ] }')
})

it('columns of a table are as wide as their widest cell', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a    bb\nccc  d\n')
})

it('what would command a terminal is escaped in a table and in JSON, which keeps its meaning', () => {
  const evil = 'a\u001b[31m\nb\u009b\u202e'
  const written: string[] = []

  printJson({ write: (text) => written.push(text) }, { evil })

  expect(table([[evil]])).toBe('a\\u001b[31m\\nb\\u009b\\u202e\n')
  expect(written).toEqual(['{"evil":"a\\u001b[31m\\nb\\u009b\\u202e"}\n'])
  expect(JSON.parse(written[0] ?? '')).toEqual({ evil })
})
