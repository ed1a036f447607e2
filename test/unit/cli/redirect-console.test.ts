import { afterEach, expect, it, jest } from '@jest/globals'

import { redirectConsole } from '../../../src/cli/worker-log.js'
import { silentLogger, type TaskLogger } from '../../../src/task/logger.js'

let restore = (): void => undefined

afterEach(() => restore())

it('every method of console writes one line of the level asked for, until it is restored', () => {
  const lines: string[] = []
  const logger: TaskLogger = { ...silentLogger, warn: (_fields, message) => lines.push(message) }
  const own = jest.spyOn(console, 'log').mockImplementation(() => undefined)

  restore = redirectConsole(logger, 'warn')
  console.log('parcel %d of %s', 3, 'five')
  console.info({ a: 1 })
  console.error(7, [8])
  restore()
  console.log('own again')

  expect(lines).toEqual(['parcel 3 of five', '{ a: 1 }', '7 [ 8 ]'])
  expect(own.mock.calls).toEqual([['own again']])
  own.mockRestore()
})

it('a log that prints with console itself does not go round in circles', () => {
  const lines: string[] = []
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
  const logger: TaskLogger = {
    ...silentLogger,
    warn: (_fields, message) => {
      lines.push(message)
      console.error(message)
    },
  }

  restore = redirectConsole(logger, 'warn')
  console.log('once')
  restore()

  expect(lines).toEqual(['once'])
  expect(stderr.mock.calls).toEqual([['once\n']])
  stderr.mockRestore()
})
