import { describe, expect, it } from '@jest/globals'
import { settingsFromModule, settingsFromObject } from '../../../src/config/source/from-object.js'
import { OPTIONS } from '../../../src/config/option/option-table.js'
import { Settings } from '../../../src/config/settings.js'
import type { ConfigInput } from '../../../src/config/config.js'
import { ConfigError } from '../../../src/errors/errors.js'

function settings(preset: ConfigInput = {}, env: Readonly<Record<string, string>> = {}): Settings {
  return new Settings(preset, { env })
}

it('new and old names of Celery side by side in an object are refused, with what to rename', () => {
  const mixed = { task_acks_late: false, task_track_started: true, CELERY_RESULT_BACKEND: 'redis://x' }

  expect(() => settingsFromObject(mixed)).toThrow(/mixed[^]*CELERY_RESULT_BACKEND -> result_backend/)
})

describe('Settings', () => {
  it('are read under every spelling', () => {
    const conf = settings({ taskAcksLate: false })

    expect([conf.taskAcksLate, conf['task_acks_late'], conf['CELERY_ACKS_LATE']]).toEqual([
      false,
      false,
      false,
    ])
    expect(conf.get('task_acks_late')).toBe(false)
  })

  it('are set under every spelling', () => {
    for (const name of ['taskAcksLate', 'task_acks_late', 'CELERY_ACKS_LATE']) {
      const conf = settings()
      conf[name] = false
      expect(conf.resolve().taskAcksLate).toBe(false)
    }
  })

  it('show defaults, and the option that one follows', () => {
    const conf = settings({ taskDefaultQueue: 'main' })

    expect(conf.taskTrackStarted).toBe(false)
    expect(conf.taskDefaultExchange).toBe('main')
    expect(conf.timezone).toBe('UTC')
  })

  it('refuse an unknown name when it is set', () => {
    const conf = settings()

    expect(() => {
      conf['taskAckLate'] = true
    }).toThrow('did you mean "taskAcksLate"?')
    expect(() => {
      conf.update({ task_ack_late: true })
    }).toThrow(ConfigError)
    expect(() => {
      Object.assign(conf, { resolve: 1 })
    }).toThrow('"resolve" cannot be set')
  })

  it('resolve to the same object until one changes', () => {
    const conf = settings()
    const before = conf.resolve()

    expect(conf.resolve()).toBe(before)
    conf.lease = 60
    expect(conf.resolve().leaseMs).toBe(60_000)
    conf.update({ lease: undefined })
    expect(conf.resolve().leaseMs).toBe(30_000)
  })

  it('name the spelling and place of a value that does not fit', () => {
    const conf = settings({}, { LOVAGE_LEASE: '0' })

    expect(() => conf.resolve()).toThrow('expected LOVAGE_LEASE (environment) to be at least 1 second')
  })

  it('keep keys of the host', () => {
    const conf = settings()
    conf.setSource({ ...settingsFromObject({}), host: { 'sqlalchemy.url': 'sqlite://' } })
    conf['session.secret'] = 'mine'

    expect(conf['sqlalchemy.url']).toBe('sqlite://')
    expect(conf['session.secret']).toBe('mine')
    expect(conf['nothing.of.the.kind']).toBeUndefined()
    expect(conf.has('sqlalchemy.url')).toBe(true)
  })

  it('can be awaited and printed without being taken for something else', async () => {
    const conf = settings()

    expect(await Promise.resolve(conf)).toBe(conf)
    expect(conf).toBeInstanceOf(Settings)
    expect(Object.keys(conf)).toEqual([])
  })
})

describe('precedence', () => {
  it('is change, environment, source, code, added defaults, built-in', () => {
    const conf = settings({}, {})
    expect(conf.taskDefaultQueue).toBe('celery')

    conf.addDefaults({ taskDefaultQueue: 'added' })
    expect(conf.taskDefaultQueue).toBe('added')

    const coded = settings({ taskDefaultQueue: 'coded' })
    coded.addDefaults({ taskDefaultQueue: 'added' })
    expect(coded.resolve().taskDefaultQueue).toBe('coded')

    coded.setSource(settingsFromObject({ taskDefaultQueue: 'source' }))
    expect(coded.resolve().taskDefaultQueue).toBe('source')

    const env = settings({}, { CELERY_TASK_DEFAULT_QUEUE: 'env' })
    env.setSource(settingsFromObject({ taskDefaultQueue: 'source' }))
    expect(env.resolve().taskDefaultQueue).toBe('env')

    env.taskDefaultQueue = 'change'
    expect(env.resolve().taskDefaultQueue).toBe('change')
  })

  it('a second source takes back the first and changes at run time', () => {
    const conf = settings()
    conf.setSource(settingsFromObject({ taskDefaultQueue: 'one', lease: 60 }))
    conf.taskDefaultQueue = 'changed'

    conf.setSource(settingsFromObject({ task_default_queue: 'two' }))

    expect(conf.resolve()).toMatchObject({ taskDefaultQueue: 'two', leaseMs: 30_000 })
  })
})

describe('printing', () => {
  const secrets: ConfigInput = {
    broker: 'amqp://user:hunter2@host//',
    backend: 'db+postgresql://user:hunter2@host/db?password=hunter2',
    brokerPassword: 'hunter2',
    redisPassword: 'hunter2',
    databaseUrl: 'postgresql://hunter2@host',
    mongodbBackendSettings: { user: 'me', password: 'hunter2', nested: { api_token: 'hunter2' } },
    brokerTransportOptions: {
      client: { secret: 'hunter2' },
      url: 'redis://:hunter2@host',
      raw: 'redis://:a/hunter2@host',
      sentinel_kwargs: { password: 'hunter2' },
    },
    resultBackendTransportOptions: { sentinel_kwargs: '{"password": "hunter2"}' },
    beatStore: 'redis://:a b#hunter2@host',
    cacheBackend: 'sentinel://h?sentinel_kwargs={"password":"hunter2"}',
    taskRoutes: { 'a.*': 'queue' },
  }

  it('shows no byte of a secret', () => {
    const conf = settings(secrets)

    expect(conf.humanize()).not.toContain('hunter2')
    expect(conf.humanize({ withDefaults: true })).not.toContain('hunter2')
    expect(JSON.stringify(conf.table())).not.toContain('hunter2')
    expect(conf.humanize({ censored: false })).toContain('hunter2')
  })

  it('shows no password that is a number', () => {
    const text = settings({ brokerTransportOptions: { sentinel_kwargs: { password: 31337 } } }).humanize()

    expect(text).not.toContain('31337')
  })

  it('shows what is no secret', () => {
    const text = settings(secrets).humanize()

    expect(text).toContain('brokerUrl: amqp://user:**@host//')
    expect(text).toContain('taskRoutes: {"a.*":"queue"}')
  })

  it('shows what was set, and every option when asked to', () => {
    const conf = settings({ lease: 60, taskDefaultRoutingKey: 'key' })

    expect(conf.humanize()).toBe('lease: 60\ntaskDefaultRoutingKey: key')
    expect(conf.humanize({ withDefaults: true })).toContain('brokerUrl: not set\n')
    expect(Object.keys(conf.table({ withDefaults: true }))).toEqual([...OPTIONS.keys()])
  })
})

describe('settingsFromObject', () => {
  it('reads only its namespace, under the old name and the new one', () => {
    const loaded = settingsFromObject(
      { CELERY_TASK_ALWAYS_EAGER: true, CELERY_ACKS_LATE: false, DEBUG: true, celery_app: 1 },
      { namespace: 'CELERY' },
    )

    expect(loaded.values.get('taskAlwaysEager')?.value).toBe(true)
    expect(loaded.values.get('taskAcksLate')?.value).toBe(false)
    expect(loaded.host).toEqual({ DEBUG: true, celery_app: 1 })
  })

  it('only warns of an unknown name under a namespace', () => {
    const loaded = settingsFromObject({ CELERY_TASK_ACK_LATE: true }, { namespace: 'CELERY' })

    expect(loaded.warnings).toEqual([
      'the settings: unknown option "CELERY_TASK_ACK_LATE"; did you mean "CELERY_TASK_ACKS_LATE"?',
    ])
  })

  it('warns of renamed and deprecated options', () => {
    const { warnings } = settingsFromObject({
      CELERYD_CONCURRENCY: 2,
      BROKER_URL: 'memory://',
      CELERY_ACKS_ON_FAILURE_OR_TIMEOUT: true,
    })

    expect(warnings).toEqual([
      'the setting CELERYD_CONCURRENCY is the old name of worker_concurrency (workerConcurrency)',
      'the setting CELERY_ACKS_ON_FAILURE_OR_TIMEOUT is deprecated; use taskAcksOnFailure and taskAcksOnTimeout',
    ])
  })
})

describe('settingsFromModule', () => {
  it('reads the default export when it is an object', () => {
    expect(settingsFromModule({ default: { lease: 5 }, other: 1 }).values.get('lease')?.value).toBe(5)
  })

  it('reads named exports and leaves functions and private names to the module', () => {
    const loaded = settingsFromModule({ task_acks_late: false, _secret: 1, helper: () => 1 })

    expect([...loaded.values.keys()]).toEqual(['taskAcksLate'])
  })

  it('reads a CommonJS module that was imported', () => {
    const loaded = settingsFromModule({ default: { __esModule: true, default: { lease: 5 } } })

    expect(loaded.values.get('lease')?.value).toBe(5)
  })

  it('refuses an unknown name and a default export that is no object', () => {
    expect(() => settingsFromModule({ lese: 1 })).toThrow('did you mean "lease"?')
    expect(() => settingsFromModule({ default: 5 })).toThrow('to export an object of options')
  })
})
