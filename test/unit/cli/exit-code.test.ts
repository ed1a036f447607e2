import { expect, it } from '@jest/globals'
import { CommanderError } from 'commander'

import { exitCodeOf } from '../../../src/cli/exit-code.js'
import { UsageError } from '../../../src/cli/usage-error.js'
import {
  BackendConnectionError,
  BrokerConnectionError,
  BrokerError,
  ConfigError,
  DriverMissingError,
  PublishError,
  TaskArgumentsError,
  TimeoutError,
} from '../../../src/errors/errors.js'

it.each([
  [new UsageError('x'), 2],
  [new TaskArgumentsError('x'), 2],
  [new CommanderError(1, 'commander.unknownOption', 'x'), 2],
  [new CommanderError(0, 'commander.help', 'x'), 0],
  [new BrokerConnectionError('x'), 69],
  [new BackendConnectionError('x'), 69],
  [new PublishError('x', [0]), 69],
  [new TimeoutError('x'), 75],
  [new ConfigError('x'), 78],
  [new DriverMissingError('redis', 'ioredis'), 78],
  [new BrokerError('x'), 1],
  [new RangeError('x'), 1],
  ['no error', 1],
])('%s ends with %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code)
})
