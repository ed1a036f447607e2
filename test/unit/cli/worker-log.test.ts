import { describe, expect, it } from '@jest/globals'

import { CommandContext } from '../../../src/cli/command-context.js'
import { openWorkerLog } from '../../../src/cli/worker-log.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { TestApp } from '../../../src/testing/index.js'

/** The lines that a worker with these settings writes for one call of `info`. */
function written(
  input: ConfigInput,
  { isTTY = false, color = true, logFormat = undefined as string | undefined, fields = {} } = {},
): string {
  const lines: string[] = []
  const stderr = { isTTY, write: (text: string): number => lines.push(text) }
  const io = { stdin: process.stdin, stdout: stderr, stderr, env: {}, cwd: '/' }
  const session = new CommandContext(io, { argv: [], cwd: '/' }, undefined, () => ({ color }))
  const flags = { loglevel: 'info', ...(logFormat !== undefined && { logFormat }) }
  openWorkerLog(session, new TestApp(input), flags).logger.info(fields, 'ready')
  return lines.join('')
}

describe('workerLogFormat', () => {
  it('is the form of the lines, which are text then', () => {
    expect(written({ workerLogFormat: '<%(levelname)s> %(message)s' })).toBe('<INFO> ready\n')
  })

  it('gives way to --log-format json', () => {
    const line = written({ workerLogFormat: '<%(levelname)s> %(message)s' }, { logFormat: 'json' })

    expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'ready' })
  })
})

describe('workerTaskLogFormat', () => {
  it('is the form of what tasks write', () => {
    const input = { workerLogFormat: '%(message)s', workerTaskLogFormat: '%(task_name)s: %(message)s' }

    expect(written(input)).toBe('ready\n')
    expect(written(input, { fields: { task: 'tasks.add', id: '1' } })).toBe('tasks.add: ready\n')
  })
})

describe('workerLogColor', () => {
  it.each([
    [undefined, true, true],
    [undefined, false, false],
    [true, false, true],
    [false, true, false],
  ])('%s, on a terminal: %s, colours: %s', (workerLogColor, isTTY, isColoured) => {
    const line = written({ workerLogColor }, { isTTY, logFormat: 'text' })

    expect(line.includes('\u001b[')).toBe(isColoured)
    expect(line).toContain('ready')
  })

  it('gives way to --no-color', () => {
    expect(written({ workerLogColor: true }, { color: false, logFormat: 'text' })).not.toContain('\u001b[')
  })
})
