import { describe, expect, it } from '@jest/globals'
import { describeOptions } from '../../../src/config/option/describe-options.js'
import { variablesOf } from '../../../src/config/source/environment.js'
import { findOption, lowerName, nearestName, oldNames } from '../../../src/config/option/option-names.js'
import { ACCEPTED_OPTIONS, OPTIONS } from '../../../src/config/option/option-table.js'
import { INACTIVE_OPTIONS } from '../../../src/config/option/inactive.js'
import { camelCase, celerySettings } from './celery-settings.js'

const { settings, newIn57 } = celerySettings()
const all = [...settings, ...newIn57]

/** Where Lovage decided differently from Celery, and how. */
const DIFFERENT: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['task_acks_late', true],
  ['worker_prefetch_multiplier', Infinity],
  ['worker_pool', 'async'],
  ['broker_failover_strategy', 'round-robin'],
  ['task_routes', []],
  ['redis_socket_timeout', undefined],
  ['redis_socket_keepalive', undefined],
])

it('the list of Celery settings is complete', () => {
  expect(settings).toHaveLength(222)
  expect(newIn57.map(({ name }) => name)).toContain('result_failure_expires')
})

describe.each(all.map((setting) => [setting.name, setting] as const))('the setting %s', (name, setting) => {
  const camel = camelCase(name)
  const option = OPTIONS.get(camel)

  it('acts or is ignored under its camelCase name', () => {
    expect([OPTIONS.has(camel), INACTIVE_OPTIONS.has(camel)]).toContain(true)
    expect(OPTIONS.has(camel) && INACTIVE_OPTIONS.has(camel)).toBe(false)
    expect(lowerName(camel)).toBe(name)
  })

  it('is found under all of its names', () => {
    for (const spelling of [camel, name, ...setting.old]) {
      expect([spelling, findOption(spelling)?.name]).toEqual([spelling, camel])
    }
  })

  if (option === undefined) return
  it('has the default of Celery, or the one that was decided', () => {
    const expected = DIFFERENT.has(name) ? DIFFERENT.get(name) : plain(setting.default)
    expect(seconds(option.default)).toEqual(name === 'task_publish_retry_policy' ? POLICY : expected)
  })

  it('has a doc that ends as a sentence', () => {
    expect(option.doc).toMatch(/^[A-Z`].*\.$/)
  })
})

const POLICY = { maxRetries: 3, intervalStart: 0, intervalStep: 0.2, intervalMax: 1 }

function plain(value: unknown): unknown {
  if (value === null) return undefined
  return value === 'Infinity' ? Infinity : value
}

function seconds(value: unknown): unknown {
  const isDays = typeof value === 'object' && value !== null && 'days' in value
  return isDays && typeof value.days === 'number' ? value.days * 86_400 : value
}

describe('the option table', () => {
  it('gives no name to two options', () => {
    const owners = new Map<string, Set<string>>()
    for (const [name, option] of ACCEPTED_OPTIONS) {
      const names = [name, lowerName(name), ...oldNames(name, option), ...variablesOf(name, option)]
      for (const spelling of names) owners.set(spelling, (owners.get(spelling) ?? new Set()).add(name))
    }

    expect([...owners].filter(([, options]) => options.size > 1)).toEqual([])
  })

  it('points at options that exist where one follows another', () => {
    const followed = [...OPTIONS.values()].flatMap((option) =>
      option.sameAs === undefined ? [] : [option.sameAs],
    )

    expect(followed.filter((name) => !OPTIONS.has(name))).toEqual([])
    expect(followed).toContain('resultExpires')
  })

  it('is described in full, with a summary of one sentence', () => {
    const descriptions = describeOptions()

    expect(descriptions).toHaveLength(OPTIONS.size)
    expect(descriptions.find(({ name }) => name === 'lease')).toMatchObject({
      form: 'length of time, at least 1 second',
      defaultText: '30 seconds',
      lowerName: 'lease',
      variables: ['LOVAGE_LEASE', 'CELERY_LEASE'],
      summary: expect.stringMatching(/^How long a claimed message .* renewed\.$/),
    })
    expect(descriptions.find(({ name }) => name === 'brokerPort')?.form).toBe('an integer from 1 to 65535')
  })
})

describe('nearestName', () => {
  it.each([
    ['taskAckLate', 'taskAcksLate'],
    ['worker_concurency', 'worker_concurrency'],
    ['CELERY_ACK_LATE', 'CELERY_ACKS_LATE'],
    ['BROKER_ULR', 'BROKER_URL'],
    ['brocker', 'broker'],
  ])('takes %s for %s, in the same spelling', (mistyped, meant) => {
    expect(nearestName(mistyped)).toBe(meant)
  })

  it('has nothing to say about a name that is far from all', () => {
    expect(nearestName('sqlalchemy.url')).toBeUndefined()
  })
})
