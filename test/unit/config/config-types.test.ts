import { expect, it } from '@jest/globals'
import type { Config, ConfigInput } from '../../../src/config/config.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import { Settings } from '../../../src/config/settings.js'

type Equal<Left, Right> = [Left, Right] extends [Right, Left] ? true : false

function isTrue(_proof: true): void {
  // The compiler has checked the argument.
}

it('the types say what each option holds', () => {
  isTrue(true satisfies Equal<Config['taskAcksLate'], boolean>)
  isTrue(true satisfies Equal<Config['leaseMs'], number>)
  isTrue(true satisfies Equal<Config['taskTimeLimitMs'], number | undefined>)
  isTrue(true satisfies Equal<Config['delay'], 'store' | 'eta'>)
  isTrue(true satisfies Equal<Config['acceptContent'], readonly string[]>)

  const config = resolveConfig({ delay: 'eta' })

  expect(config.delay).toBe('eta')
})

it('what does not fit does not compile', () => {
  const inputs: readonly ConfigInput[] = [
    // @ts-expect-error a switch is no text
    { taskAcksLate: 'x' },
    // @ts-expect-error not one of the words
    { delay: 'never' },
    // @ts-expect-error lengths of time are no text
    { lease: '30s' },
    // @ts-expect-error no such option
    { taskAckLate: true },
    // @ts-expect-error the unit is unknown
    { resultExpires: { fortnights: 1 } },
    {
      broker: undefined,
      lease: { minutes: 1 },
      resultExpires: null,
      taskQueues: { mail: { durable: false } },
    },
  ]

  expect(inputs).toHaveLength(6)
})

it('members of the settings have the types of their options', () => {
  const settings = new Settings({}, { env: {} })
  isTrue(true satisfies Equal<Settings['taskAcksLate'], boolean | undefined>)
  // @ts-expect-error a switch is no text
  settings.taskAlwaysEager = 'x'
  settings.taskAlwaysEager = true

  expect(settings['task_always_eager']).toBe(true)
})
