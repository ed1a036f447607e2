import { expect, it } from '@jest/globals'

import { painter } from '../../../src/cli/io.js'

const terminal = { isTTY: true, write: (): void => undefined }
const pipe = { write: (): void => undefined }

it('paints on a terminal', () => {
  expect(painter(terminal, { env: {} })('red', 'x')).toBe('\u001b[31mx\u001b[39m')
})

it('does not paint on a pipe, with --no-color, with NO_COLOR or on a dumb terminal', () => {
  expect(painter(pipe, { env: {} })('red', 'x')).toBe('x')
  expect(painter(terminal, { env: {} }, false)('red', 'x')).toBe('x')
  expect(painter(terminal, { env: { NO_COLOR: '1' } })('red', 'x')).toBe('x')
  expect(painter(terminal, { env: { TERM: 'dumb' } })('red', 'x')).toBe('x')
})

it('an empty NO_COLOR counts for nothing, FORCE_COLOR paints anywhere', () => {
  expect(painter(terminal, { env: { NO_COLOR: '' } })('red', 'x')).not.toBe('x')
  expect(painter(pipe, { env: { FORCE_COLOR: '1' } })('red', 'x')).not.toBe('x')
})
