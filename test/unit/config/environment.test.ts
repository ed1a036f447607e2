import { describe, expect, it } from '@jest/globals'
import {
  settingsFromEnvironment,
  settingsFromEnvvar,
  variablesOf,
} from '../../../src/config/source/environment.js'
import { OPTIONS } from '../../../src/config/option/option-table.js'
import { resolveWritten } from '../../../src/config/resolve.js'

function values(env: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    [...settingsFromEnvironment(env).values].map(([name, { value }]) => [name, value]),
  )
}

describe('settingsFromEnvironment', () => {
  it('types each value by its option', () => {
    expect(
      values({
        LOVAGE_TASK_ACKS_LATE: 'false',
        LOVAGE_MAX_DELIVERIES: '7',
        LOVAGE_LEASE: '{"minutes": 1}',
        LOVAGE_READ_AHEAD: '0.1',
        LOVAGE_IMPORTS: 'a.tasks, b.tasks',
        LOVAGE_BROKER_TRANSPORT_OPTIONS: '{"region": "eu-west-1"}',
        LOVAGE_BACKEND: 'off',
        LOVAGE_WORKER_CONCURRENCY: '4',
        LOVAGE_TASK_QUEUES: 'mail feeds',
        LOVAGE_RESULT_EXPIRES: 'None',
        LOVAGE_BROKER_CONNECTION_MAX_RETRIES: 'inf',
      }),
    ).toEqual({
      taskAcksLate: false,
      maxDeliveries: 7,
      lease: { minutes: 1 },
      readAhead: 0.1,
      imports: ['a.tasks', 'b.tasks'],
      brokerTransportOptions: { region: 'eu-west-1' },
      resultBackend: false,
      workerConcurrency: 4,
      taskQueues: ['mail', 'feeds'],
      resultExpires: null,
      brokerConnectionMaxRetries: Infinity,
    })
  })

  it('has a variable for every option, and each is read', () => {
    for (const [name, option] of OPTIONS) {
      const [variable = ''] = variablesOf(name, option)
      expect(variable).toMatch(/^LOVAGE_[A-Z0-9_]+$/)
      expect([variable, ...Object.keys(values({ [variable]: 'None' }))]).toEqual([variable, name])
    }
  })

  it('reads the variables of Celery', () => {
    expect(
      values({
        CELERY_BROKER_URL: 'redis://a',
        CELERY_RESULT_BACKEND: 'rpc',
        CELERY_DEFAULT_QUEUE: 'q',
        CELERYD_CONCURRENCY: '2',
        CELERY_TASK_ALWAYS_EAGER: '1',
      }),
    ).toEqual({
      brokerUrl: 'redis://a',
      resultBackend: 'rpc',
      taskDefaultQueue: 'q',
      workerConcurrency: 2,
      taskAlwaysEager: true,
    })
  })

  it('prefers its own variable, and leaves names that may be the host’s alone', () => {
    expect(values({ LOVAGE_BROKER: 'a', CELERY_BROKER_URL: 'b', BROKER_URL: 'c' })).toEqual({
      brokerUrl: 'a',
    })
    expect(
      values({ BROKER_URL: 'c', BROKER_PASSWORD: 'x', S3_BUCKET: 'mine', DATABASE_URL: 'pg://' }),
    ).toEqual({
      brokerUrl: 'c',
    })
  })

  it('takes an empty variable for none', () => {
    expect(values({ CELERY_BROKER_URL: '', LOVAGE_LEASE: '  ' })).toEqual({})
  })

  it('names the variable of a value that does not fit', () => {
    expect(() => values({ LOVAGE_TASK_ACKS_LATE: 'maybe' })).toThrow(
      'expected LOVAGE_TASK_ACKS_LATE to be a boolean (true or false), got: "maybe"',
    )
    expect(() => resolveWritten(settingsFromEnvironment({ LOVAGE_DELAY: 'x' }).values)).toThrow(
      'expected LOVAGE_DELAY (environment) to be one of',
    )
  })

  it('warns of near misses and not of Celery’s own variables that are no settings', () => {
    expect(settingsFromEnvironment({ LOVAGE_MAX_DELIVERYS: '3' }).warnings).toEqual([
      'environment: LOVAGE_MAX_DELIVERYS is no setting; did you mean LOVAGE_MAX_DELIVERIES?',
    ])
    expect(
      settingsFromEnvironment({ CELERYD_LOG_FILE: 'x', CELERY_APP: 'y', CELERYBEAT_OPTS: 'z', HOME: '/' })
        .warnings,
    ).toEqual([])
  })

  it('gives the path that a variable holds', () => {
    expect(settingsFromEnvvar('CELERY_CONFIG_MODULE', { CELERY_CONFIG_MODULE: ' ./settings.js ' })).toBe(
      './settings.js',
    )
    expect(settingsFromEnvvar('CELERY_CONFIG_MODULE', { CELERY_CONFIG_MODULE: '' })).toBeUndefined()
    expect(settingsFromEnvvar('CELERY_CONFIG_MODULE', {})).toBeUndefined()
  })
})
