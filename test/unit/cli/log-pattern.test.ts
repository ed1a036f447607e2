import { expect, it } from '@jest/globals'

import { patternLine } from '../../../src/cli/log.js'

const entry = {
  level: 'warn',
  time: new Date(2030, 0, 31, 12, 0, 0, 123),
  message: 'careful',
  task: 'shop.add',
  id: 'one',
}

it('Celery’s own form of a line gives Celery’s line', () => {
  const pattern = '[%(asctime)s: %(levelname)s/%(processName)s] %(task_name)s[%(task_id)s]: %(message)s'

  expect(patternLine(pattern, entry)).toBe(
    '[2030-01-31 12:00:00,123: WARNING/MainProcess] shop.add[one]: careful',
  )
})

it('widths pad to the side that Python pads to', () => {
  expect(patternLine('%(levelname)-9s|%(levelname)9s|100%%', entry)).toBe('WARNING  |  WARNING|100%')
})

it('an unknown name stays as it is written; outside of tasks the task is ???', () => {
  const outside = { ...entry, task: undefined, id: undefined }

  expect(patternLine('%(lineno)d %(task_name)s[%(task_id)s]', outside)).toBe('%(lineno)d ???[???]')
})
