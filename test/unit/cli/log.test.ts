import { expect, it } from '@jest/globals'

import type { CommandIo } from '../../../src/cli/io.js'
import { logFormat, logLevel, openLog, textLine } from '../../../src/cli/log.js'

const plain = (_look: string, text: string): string => text

function collecting(): { readonly io: CommandIo; readonly lines: string[] } {
  const lines: string[] = []
  const output = { write: (text: string): number => lines.push(text) }
  return { io: { stdin: process.stdin, stdout: output, stderr: output, env: {}, cwd: '/' }, lines }
}

it('Celery’s names of levels are understood in any case', () => {
  expect(logLevel('INFO')).toBe('info')
  expect(logLevel('warning')).toBe('warn')
  expect(logLevel('CRITICAL')).toBe('fatal')
  expect(() => logLevel('loud')).toThrow('--loglevel must be')
})

it('lines are text on a terminal and JSON elsewhere, unless asked for', () => {
  const terminal = { isTTY: true, write: (): void => undefined }
  const pipe = { write: (): void => undefined }

  expect(logFormat(undefined, terminal)).toBe('text')
  expect(logFormat(undefined, pipe)).toBe('json')
  expect(logFormat('text', pipe)).toBe('text')
  expect(() => logFormat('xml', pipe)).toThrow('--log-format must be json or text')
})

it('each JSON line parses and carries time, level, node, fields and message', () => {
  const { io, lines } = collecting()

  openLog(io, { level: 'info', format: 'json', paint: plain, node: 'celery@here' }).info({ id: '7' }, 'done')

  expect(lines).toHaveLength(1)
  const entry: unknown = JSON.parse(lines[0] ?? '')
  expect(entry).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    node: 'celery@here',
    id: '7',
    msg: 'done',
  })
})

it('lines below the level are not written', () => {
  const { io, lines } = collecting()

  openLog(io, { level: 'warn', format: 'text', paint: plain }).info({}, 'quiet')

  expect(lines).toEqual([])
})

it('a text line has local time, level and message, and the stack of an error below it', () => {
  const line = JSON.stringify({
    level: 'error',
    time: '2030-01-31T12:00:00.123Z',
    msg: 'Task failed',
    err: { message: 'no', stack: 'Error: no\n    at here' },
  })

  expect(textLine(line, plain)).toMatch(
    /^\[2030-\d\d-\d\d \d\d:00:00\.123\] ERROR Task failed\n {4}Error: no\n {8}at here\n$/,
  )
})

it('what is no JSON line passes through', () => {
  expect(textLine('plain text\n', plain)).toBe('plain text\n')
})

it('a line that a task writes says whose it is, the worker’s own line about it does so by itself', () => {
  const fields = { level: 'warn', time: '2030-01-31T12:00:00.123Z', task: 'shop.add', id: 'one' }

  const written = textLine(JSON.stringify({ ...fields, msg: 'half way' }), plain)
  const about = textLine(JSON.stringify({ ...fields, msg: 'Task shop.add[one] received' }), plain)

  expect(written).toMatch(/WARN {2}shop\.add\[one\]: half way\n$/)
  expect(about).toMatch(/WARN {2}Task shop\.add\[one\] received\n$/)
})

it('forms in Python’s notation take the place of ours, one for the worker and one for tasks', () => {
  const patterns = { worker: 'W %(message)s', task: 'T %(task_id)s %(message)s' }
  const fields = { level: 'info', time: '2030-01-31T12:00:00.123Z' }

  expect(textLine(JSON.stringify({ ...fields, msg: 'ready.' }), plain, patterns)).toBe('W ready.\n')
  expect(textLine(JSON.stringify({ ...fields, task: 'a', id: '7', msg: 'x' }), plain, patterns)).toBe(
    'T 7 x\n',
  )
})

it('foreign text is escaped, and what follows the first line of a task’s own text is indented', () => {
  const fields = { level: 'info', time: '2030-01-31T12:00:00.123Z', task: 'a', id: '7' }
  const err = { stack: 'Error: x\u001b[2J\n    at here' }

  const about = textLine(JSON.stringify({ ...fields, msg: 'Task a[7] failed\nforged\u001b[2J', err }), plain)
  const own = textLine(JSON.stringify({ ...fields, id: '7\n', msg: 'two\nlines\u009b' }), plain)

  expect(about).toMatch(
    /INFO {2}Task a\[7\] failed\\nforged\\u001b\[2J\n {4}Error: x\\u001b\[2J\n {8}at here\n$/,
  )
  expect(own).toMatch(/INFO {2}a\[7\\n\]: two\n {4}lines\\u009b\n$/)
})
