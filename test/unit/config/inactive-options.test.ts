import { describe, expect, it } from '@jest/globals'
import { OPTIONS } from '../../../src/config/option/option-table.js'
import { INACTIVE_OPTIONS, inactiveSettingsNote } from '../../../src/config/option/inactive.js'
import { Settings } from '../../../src/config/settings.js'

const settings = (values: object, env = {}): Settings => {
  const conf = new Settings({}, { env })
  conf.update({ ...values })
  return conf
}

describe('an option of Celery that nothing acts on', () => {
  it.each([
    ['camelCase', { cassandraReadConsistency: 'ONE' }],
    ["Celery's lower case", { cassandra_read_consistency: 'ONE' }],
    ['the name from before Celery 4', { CASSANDRA_READ_CONSISTENCY: 'ONE' }],
  ])('is accepted in %s and named with the reason', (_, values) => {
    const conf = settings(values)

    expect(conf.resolve()).not.toHaveProperty('cassandraReadConsistency')
    expect(inactiveSettingsNote(conf)).toMatch(
      /: cassandraReadConsistency \(there is no result backend for Cassandra\)$/,
    )
  })

  it('is accepted from the environment, and whatever its value is', () => {
    const conf = settings({ elasticsearchTimeout: { seconds: 'soon' } }, { CELERYD_STATE_DB: '/var/state' })

    expect(() => conf.resolve()).not.toThrow()
    expect(inactiveSettingsNote(conf)).toContain('workerStateDb (')
    expect(inactiveSettingsNote(conf)).toContain('elasticsearchTimeout (')
  })

  it('is not printed, so that no password of it is', () => {
    const conf = settings({ s3SecretAccessKey: 'hunter2', brokerReadUrl: 'redis://:hunter2@host' })

    expect(conf.humanize({ withDefaults: true, censored: false })).not.toContain('hunter2')
    expect(inactiveSettingsNote(conf)).not.toContain('hunter2')
  })

  it('is never one that acts', () => {
    expect([...INACTIVE_OPTIONS.keys()].filter((name) => OPTIONS.has(name))).toEqual([])
    expect(inactiveSettingsNote(settings({ taskAcksLate: true, lease: 5 }))).toBeUndefined()
  })
})
