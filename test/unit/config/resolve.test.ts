import { describe, expect, it } from '@jest/globals'
import type { Config } from '../../../src/config/config.js'
import { OPTIONS } from '../../../src/config/option/option-table.js'
import { resolveConfig } from '../../../src/config/resolve.js'
import { ConfigError } from '../../../src/errors/errors.js'

function resolved(input: object): Config {
  return resolveConfig(input)
}

function refusal(input: object): string {
  try {
    resolved(input)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'nothing was refused'
}

describe('resolveConfig', () => {
  it('fills in every option and freezes the result', () => {
    const config = resolveConfig()

    expect(Object.keys(config)).toHaveLength(OPTIONS.size)
    expect(Object.isFrozen(config)).toBe(true)
    expect(config).toMatchObject({
      taskAcksLate: true,
      leaseMs: 30_000,
      maxDeliveries: 5,
      unknownTaskTimeoutMs: 600_000,
      publishTimeoutMs: 5000,
      readAheadMs: 50,
      delay: 'store',
      sqliteSynchronous: 'full',
      resultExpiresMs: 86_400_000,
      acceptContent: ['json'],
      timezone: 'UTC',
      workerConcurrency: 10,
    })
  })

  it('reads lengths of time in seconds, units and objects with toMillis', () => {
    const config = resolveConfig({
      lease: 60,
      publishTimeout: { milliseconds: 250 },
      readAhead: { toMillis: () => 7 },
    })

    expect(config).toMatchObject({ leaseMs: 60_000, publishTimeoutMs: 250, readAheadMs: 7 })
  })

  it('reads the three spellings as one option', () => {
    const spellings = [{ resultExpires: 60 }, { result_expires: 60 }, { CELERY_TASK_RESULT_EXPIRES: 60 }]

    for (const input of spellings) expect(resolveConfig(input).resultExpiresMs).toBe(60_000)
  })

  it('reads broker and backend as names of brokerUrl and resultBackend', () => {
    expect(resolveConfig({ broker: 'memory://', backend: false })).toMatchObject({
      brokerUrl: 'memory://',
      resultBackend: false,
    })
  })

  it('takes a URL object for its text', () => {
    const config = resolveConfig({ broker: new URL('redis://a/0'), backend: new URL('redis://a/1') })

    expect(config).toMatchObject({ brokerUrl: 'redis://a/0', resultBackend: 'redis://a/1' })
  })

  it('hands an object over as it is', () => {
    const knex = Object.assign(() => 'query', { client: {} })

    expect(resolveConfig({ broker: knex }).brokerUrl).toBe(knex)
  })

  it('lets options follow the ones they stand beside', () => {
    const config = resolveConfig({
      resultExpires: 60,
      acceptContent: ['json', 'yaml'],
      taskAcksOnFailureOrTimeout: false,
      taskAcksOnTimeout: true,
      taskDefaultQueue: 'main',
      brokerConnectionRetry: false,
      workerPool: 'solo',
    })

    expect(config).toMatchObject({
      resultFailureExpiresMs: 60_000,
      resultAcceptContent: ['json', 'yaml'],
      taskAcksOnFailure: false,
      taskAcksOnTimeout: true,
      taskDefaultExchange: 'main',
      taskDefaultRoutingKey: 'main',
      brokerConnectionRetryOnStartup: false,
      workerConcurrency: 1,
    })
  })

  it('keeps results for ever for 0 and None', () => {
    expect(resolveConfig({ resultExpires: 0 }).resultExpiresMs).toBe(0)
    expect(resolveConfig({ resultExpires: null }).resultExpiresMs).toBe(0)
  })

  it('takes 0 and None for no limit where Celery does', () => {
    expect(resolveConfig({ brokerConnectionMaxRetries: 0 }).brokerConnectionMaxRetries).toBe(Infinity)
    expect(resolved({ broker_connection_max_retries: null }).brokerConnectionMaxRetries).toBe(Infinity)
    expect(resolveConfig({ workerPrefetchMultiplier: 0 }).workerPrefetchMultiplier).toBe(Infinity)
  })

  it('takes the names of Celery pools', () => {
    expect(resolveConfig({ workerPool: 'prefork' }).workerPool).toBe('processes')
  })

  it('reads a retry policy in both spellings', () => {
    expect(
      resolveConfig({ taskPublishRetryPolicy: { maxRetries: 1, intervalMax: { seconds: 2 } } }),
    ).toMatchObject({
      taskPublishRetryPolicy: { maxRetries: 1, intervalStartMs: 0, intervalStepMs: 200, intervalMaxMs: 2000 },
    })
    expect(
      resolved({ task_publish_retry_policy: { max_retries: null, interval_start: 1 } })
        .taskPublishRetryPolicy,
    ).toMatchObject({ maxRetries: Infinity, intervalStartMs: 1000 })
  })

  it.each<[string, object, string]>([
    ['an unknown name', { taskAckLate: true }, 'unknown option "taskAckLate"; did you mean "taskAcksLate"?'],
    ['one in lower case', { worker_concurency: 4 }, 'did you mean "worker_concurrency"?'],
    ['a switch', { taskAcksLate: 'x' }, 'expected taskAcksLate to be a boolean, got: "x"'],
    ['the spelling that was used', { task_acks_late: 1 }, 'expected task_acks_late to be a boolean, got: 1'],
    ['a count', { maxDeliveries: 0 }, 'expected maxDeliveries to be a positive integer or Infinity, got: 0'],
    ['a range', { brokerPort: 99_999 }, 'expected brokerPort to be an integer from 1 to 65535, got: 99999'],
    ['a word', { delay: 'never' }, 'expected delay to be one of "store", "eta", got: "never"'],
    ['a length', { lease: 'x' }, 'expected lease to be a number of seconds or an object'],
    ['a short length', { lease: 0.5 }, 'expected lease to be at least 1 second, got: 0.5'],
    ['a negative length', { readAhead: -1 }, 'expected readAhead not to be negative, got: -1'],
    ['a list', { imports: [1] }, 'expected imports to be a list of strings, got: [1]'],
    [
      'an object',
      { brokerTransportOptions: 'x' },
      'expected brokerTransportOptions to be an object, got: "x"',
    ],
    ['a pool', { workerPool: 'gvent' }, 'expected workerPool to be "async", "threads", "processes"'],
    ['a broker', { broker: 7 }, 'expected broker to be a URL such as "redis://localhost"'],
    ['an empty list of brokers', { broker: [] }, 'expected broker to be a list of at least one URL'],
    ['a zone', { timezone: 'Mars/Base' }, 'expected timezone to be an IANA name such as "Europe/London"'],
    [
      'a member of the policy',
      { taskPublishRetryPolicy: { retries: 1 } },
      'unknown member "retries" of taskPublishRetryPolicy',
    ],
  ])('refuses %s that does not fit', (_what, input, message) => {
    expect(refusal(input)).toContain(message)
  })

  it.each<[string, object, string]>([
    [
      'a soft limit above the hard one',
      { taskSoftTimeLimit: 30, taskTimeLimit: 20 },
      'taskSoftTimeLimit (30 seconds) is longer than taskTimeLimit (20 seconds)',
    ],
    ['pickle in acceptContent', { acceptContent: ['json', 'pickle'] }, 'reading a pickle runs whatever code'],
    [
      'pickle by MIME type',
      { resultAcceptContent: ['application/x-python-serialize'] },
      'reading a pickle runs',
    ],
    ['pickle as serializer', { taskSerializer: 'pickle' }, 'taskSerializer cannot be "pickle"'],
    ['results in SQS', { backend: 'sqs://' }, 'use a Redis, SQL or MongoDB URL'],
    ['django:// as broker', { BROKER_URL: 'django://' }, "new Lovage('name', { broker: knex })"],
    ['django:// as backend', { backend: 'django-db' }, 'broker: knex, backend: knex'],
    [
      'a default queue that may not be made',
      { taskCreateMissingQueues: false, taskQueues: ['mail'] },
      'taskDefaultQueue "celery" is not in taskQueues ("mail")',
    ],
  ])('refuses %s with a way out', (_what, input, message) => {
    expect(refusal(input)).toContain(message)
  })

  it('does not print the password of a URL in an error', () => {
    expect(refusal({ broker: ['redis://:hunter2@host', 7] })).not.toContain('hunter2')
  })

  it.each([
    ['a password with a raw slash', { broker: ['redis://:a/hunter2@host', 7] }],
    ['a password that is cut off', { broker: [`redis://:${'hunter2'.repeat(30)}@host`, 7] }],
    ['a secret member', { taskRoutes: [{ sentinel_kwargs: { password: 'hunter2' } }] }],
    ['a secret of its own kind', { brokerPassword: ['hunter2'] }],
  ])('does not print %s', (_what, input) => {
    expect(refusal(input)).not.toContain('hunter2')
  })
})

describe('old and new names in one source', () => {
  it('are refused, with the renames to the new form', () => {
    const message = refusal({ CELERY_TIMEZONE: 'UTC', task_always_eager: true })

    expect(message).toContain('rename the following to the new form')
    expect(message).toContain('CELERY_TIMEZONE -> timezone')
  })

  it('are refused with renames to the old form when most are old', () => {
    const message = refusal({ BROKER_URL: 'a', CELERY_TIMEZONE: 'UTC', task_always_eager: true })

    expect(message).toContain('task_always_eager -> CELERY_ALWAYS_EAGER')
    expect(message).not.toContain('CELERY_TIMEZONE ->')
  })

  it('pass when they are one option', () => {
    expect(resolved({ CELERY_TASK_RESULT_EXPIRES: 1, result_expires: 2 }).resultExpiresMs).toBe(2000)
    expect(resolved({ result_expires: 2, CELERY_TASK_RESULT_EXPIRES: 1 }).resultExpiresMs).toBe(2000)
  })

  it('pass beside camelCase', () => {
    expect(resolved({ CELERY_TIMEZONE: 'Asia/Tokyo', lease: 5, taskAlwaysEager: true })).toMatchObject({
      timezone: 'Asia/Tokyo',
      taskAlwaysEager: true,
    })
  })
})
