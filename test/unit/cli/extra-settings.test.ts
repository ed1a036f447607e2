import { expect, it } from '@jest/globals'

import { extraSettings } from '../../../src/cli/extra-settings.js'

it.each([
  ['--worker-lost-wait 5', { workerLostWait: '5' }],
  ['--worker-lost-wait=5', { workerLostWait: '5' }],
  ['--lease 5', { lease: 5 }],
  ['--lease=5', { lease: 5 }],
  ['--task-acks-late=no', { taskAcksLate: false }],
  ['--task-acks-late', { taskAcksLate: true }],
  ['--no-task-acks-late --lease 3', { taskAcksLate: false, lease: 3 }],
  ['--taskAcksLate=false', { taskAcksLate: false }],
  ['--task_acks_late=false', { taskAcksLate: false }],
  ['-- task_acks_late=no lease=3', { taskAcksLate: false, lease: 3 }],
  ['', {}],
])('"%s" sets %j', (line, expected) => {
  expect(extraSettings(line.split(' ').filter((word) => word !== ''))).toEqual(expected)
})

it.each([
  ['--task-acks-lat=no', 'did you mean --task-acks-late?'],
  ['--nothing-like-it', '"--nothing-like-it" is neither an option of this command nor a setting'],
  ['now', 'unexpected argument "now"'],
  ['-z', 'unexpected argument "-z"'],
  ['--lease soon', 'lease'],
])('"%s" is refused: %s', (line, message) => {
  expect(() => extraSettings(line.split(' '))).toThrow(message)
})
