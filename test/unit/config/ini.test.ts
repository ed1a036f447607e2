import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadIni } from '../../../src/config/source/ini.js'
import type { LoadedSettings } from '../../../src/config/source/loaded-settings.js'
import { resolveWritten } from '../../../src/config/resolve.js'
import { Settings } from '../../../src/config/settings.js'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lovage-ini-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function load(text: string, env: Readonly<Record<string, string>> = {}): LoadedSettings {
  return loadIni(write('development.ini', text), env)
}

function values(loaded: LoadedSettings): Record<string, unknown> {
  return Object.fromEntries([...loaded.values].map(([name, { value }]) => [name, value]))
}

describe('loadIni', () => {
  it.each(['celery', 'app:main'])('refuses settings that are in a Python module, in [%s]', (section) => {
    const text = (value: string): string =>
      `[${section}]\nUSE_CELERYCONFIG = ${value}\nbroker_url = redis://a\n`

    expect(() => load(text('True'))).toThrow('says that the settings are in a Python module, celeryconfig')
    expect(values(load(text('False')))).toEqual({ brokerUrl: 'redis://a' })
  })

  it('types the values of [app:main] by their options', () => {
    const loaded = load(`
[app:main]
BROKER_URL = redis://localhost
CELERY_RESULT_BACKEND: amqp://guest@localhost//
CELERYD_CONCURRENCY = 2
CELERY_ALWAYS_EAGER = no
CELERY_ENABLE_UTC = False
CELERY_TASK_RESULT_EXPIRES = 3600
CELERY_ACCEPT_CONTENT = json yaml
CELERY_IMPORTS =
    shop.tasks
    # a comment between
    mail.tasks
`)

    expect(values(loaded)).toEqual({
      brokerUrl: 'redis://localhost',
      resultBackend: 'amqp://guest@localhost//',
      workerConcurrency: 2,
      taskAlwaysEager: false,
      enableUtc: false,
      resultExpires: 3600,
      acceptContent: ['json', 'yaml'],
      imports: ['shop.tasks', 'mail.tasks'],
    })
  })

  it('reads [celery] on top, new names and names that lost their case', () => {
    expect(
      values(load('[app:main]\nBROKER_URL = a\n[celery]\nbroker_url = b\ntask_acks_late = off\n')),
    ).toEqual({
      brokerUrl: 'b',
      taskAcksLate: false,
    })
    expect(values(load('[celery]\nceleryd_concurrency = 3\ncelery_always_eager = true\n'))).toEqual({
      workerConcurrency: 3,
      taskAlwaysEager: true,
    })
  })

  it('leaves the host’s keys alone and readable', () => {
    const loaded = load(`
[app:main]
use = egg:shop
sqlalchemy.url = sqlite:///%(here)s/shop.db
pyramid.includes = pyramid_debugtoolbar
log = %(nowhere)s
BROKER_URL = memory://

[formatter_generic]
format = %(asctime)s %(levelname)-5.5s
`)
    const conf = new Settings({}, { env: {} })
    conf.setSource(loaded)

    expect(conf['sqlalchemy.url']).toBe(`sqlite:///${folder}/shop.db`)
    expect(conf['pyramid.includes']).toBe('pyramid_debugtoolbar')
    expect(conf['log']).toBe('%(nowhere)s')
    expect(conf.brokerUrl).toBe('memory://')
    expect(loaded.warnings).toEqual([])
  })

  it('leaves a common word to the host when its value does not fit', () => {
    const loaded = load('[app:main]\ndelay = 5\nlease = 60\n')

    expect(values(loaded)).toEqual({ lease: 60 })
    expect(loaded.host).toEqual({ delay: '5' })
    expect(loaded.warnings).toEqual([
      expect.stringContaining('delay (development.ini:2) is left to the host'),
    ])
  })

  it('warns of near misses and renamed settings', () => {
    const { warnings } = load('[app:main]\nCELERY_ALWAYS_EAGR = 1\nmail.host = x\nCELERYD_CONCURRENCY = 1\n')

    expect(warnings).toEqual([
      'CELERY_ALWAYS_EAGR (development.ini:2) is no setting; did you mean CELERY_ALWAYS_EAGER?',
      'the setting CELERYD_CONCURRENCY (development.ini:4) is the old name of worker_concurrency (workerConcurrency)',
    ])
  })

  it('fills in keys, defaults and variables', () => {
    const text = `
[DEFAULT]
host = redis.local
[app:main]
db = 3
BROKER_URL = redis://:\${REDIS_PASSWORD}@%(host)s/%(db)s
CELERY_RESULT_BACKEND = redis://:p%40ss@%(host)s/\${RESULT_DB:-9}?rate=100%%
`

    expect(values(load(text, { REDIS_PASSWORD: 'x%(y' }))).toEqual({
      brokerUrl: 'redis://:x%(y@redis.local/3',
      resultBackend: 'redis://:p%40ss@redis.local/9?rate=100%',
    })
  })

  it.each<[string, string, string]>([
    ['a missing key', 'BROKER_URL = %(nothing)s', 'development.ini:2: %(nothing)s names a key'],
    [
      'a missing variable',
      'BROKER_URL = ${NOTHING}',
      'development.ini:2: the environment has no variable NOTHING',
    ],
    ['a circle of keys', 'a = %(BROKER_URL)s\nBROKER_URL = %(a)s', 'names itself, directly or in a circle'],
    [
      'a wrong type',
      'CELERYD_CONCURRENCY = many',
      'expected CELERYD_CONCURRENCY (development.ini:2) to be a positive',
    ],
    [
      'a wrong switch',
      'CELERY_ACKS_LATE = maybe',
      'expected CELERY_ACKS_LATE (development.ini:2) to be a boolean',
    ],
    ['a line that is no key', 'nonsense', 'development.ini:2: expected "key = value" or "[section]"'],
    ['a key twice', 'a = 1\na = 2', 'development.ini:3: "a" stands on line 2 of the section already'],
    ['a section twice', 'a = 1\n[app:main]', 'development.ini:3: the section [app:main] is there already'],
    [
      'a Python dict of entries',
      "CELERYBEAT_SCHEDULE = {'a': {'schedule': crontab()}}",
      'write each entry as a section of its own: [celerybeat:name]',
    ],
    ['a Python dict of routes', "CELERY_ROUTES = {'a': 'b'}", 'to be JSON (JSON has double quotes'],
    [
      'old and new names in one section',
      'CELERY_TIMEZONE = UTC\ntask_always_eager = true',
      'mixed in [app:main] of development.ini',
    ],
  ])('refuses %s with file and line', (_what, lines, message) => {
    expect(() => resolveWritten(load(`[app:main]\n${lines}\n`).values)).toThrow(message)
  })

  it('refuses a key before the first section and a file that is not there', () => {
    expect(() => load('a = 1\n')).toThrow('development.ini:1: "a" stands before the first [section]')
    expect(() => loadIni(join(folder, 'missing.ini'), {})).toThrow('cannot read the ini file')
  })
})

describe('use = config:', () => {
  beforeEach(() => {
    mkdirSync(join(folder, 'common'))
    writeFileSync(
      join(folder, 'common', 'base.ini'),
      `
[DEFAULT]
store = %(here)s/base.db
[app:main]
CELERYD_CONCURRENCY = 2
BROKER_URL = memory://
sqlalchemy.url = sqlite:///%(store)s
[app:admin]
CELERYD_CONCURRENCY = 7
[celerybeat:sweep]
task = shop.sweep
type = integer
schedule = 30
`,
    )
  })

  it('gives two environments the same base', () => {
    const development = write(
      'development.ini',
      '[app:main]\nuse = config:common/base.ini\nBROKER_URL = redis://dev\n',
    )
    const production = write(
      'production.ini',
      '[app:main]\nuse = config:%(here)s/common/base.ini\nBROKER_URL = redis://prod\nCELERYD_CONCURRENCY = 8\n',
    )

    expect(values(loadIni(development, {}))).toMatchObject({ brokerUrl: 'redis://dev', workerConcurrency: 2 })
    expect(values(loadIni(production, {}))).toMatchObject({ brokerUrl: 'redis://prod', workerConcurrency: 8 })
    expect(loadIni(production, {}).host['sqlalchemy.url']).toBe(`sqlite:///${folder}/common/base.db`)
  })

  it('takes the other sections along', () => {
    const path = write(
      'development.ini',
      '[app:main]\nuse = config:common/base.ini\n[celerybeat:mail]\ntask = m\nschedule = 5\n',
    )

    expect(values(loadIni(path, {}))['beatSchedule']).toEqual({
      sweep: { task: 'shop.sweep', schedule: 30 },
      mail: { task: 'm', schedule: 5 },
    })
  })

  it('takes another application by name', () => {
    const path = write('development.ini', '[app:main]\nuse = config:common/base.ini#admin\n')

    expect(values(loadIni(path, {}))).toMatchObject({ workerConcurrency: 7 })
    expect(values(loadIni(`${join(folder, 'common', 'base.ini')}#admin`, {}))).toMatchObject({
      workerConcurrency: 7,
    })
    expect(() => loadIni(`${join(folder, 'common', 'base.ini')}#other`, {})).toThrow(
      'has no section [app:other]',
    )
  })

  it('refuses files that use each other', () => {
    write('a.ini', '[app:main]\nuse = config:b.ini\n')
    const path = write('b.ini', '[app:main]\nuse = config:a.ini\n')

    expect(() => loadIni(path, {})).toThrow('use each other in a circle')
  })

  it('finds the application behind a pipeline', () => {
    const path = write(
      'p.ini',
      '[pipeline:main]\npipeline = filter shop\n[app:shop]\nBROKER_URL = a\n[app:x]\nBROKER_URL = b\n',
    )

    expect(values(loadIni(path, {}))).toEqual({ brokerUrl: 'a' })
  })
})

describe('sections of their own', () => {
  it('hold objects, routes and queues', () => {
    const loaded = load(`
[DEFAULT]
common = 1
[celery:broker_transport_options]
visibility_timeout = 18000
is_secure = true
region = eu-west-1
predefined_queues = {"a": {"url": "x"}}
[celeryroutes]
feed.* = feeds
mail.send = {"queue": "mail", "routing_key": "m"}
[celeryroute:otherapp.tasks.Task3]
queue = slow_tasks
routing_key = turtle
[celery:queues]
feeds = {"exchange": "media", "routing_key": "feed.#"}
mail =
`)

    expect(values(loaded)['brokerTransportOptions']).toEqual({
      visibility_timeout: 18_000,
      is_secure: true,
      region: 'eu-west-1',
      predefined_queues: { a: { url: 'x' } },
    })
    const config = resolveWritten(loaded.values)
    expect(config.taskRoutes).toEqual([
      {
        rules: [
          { pattern: 'feed.*', target: { queue: 'feeds' } },
          { pattern: 'mail.send', target: { queue: 'mail', routingKey: 'm' } },
          { pattern: 'otherapp.tasks.Task3', target: { queue: 'slow_tasks', routingKey: 'turtle' } },
        ],
      },
    ])
    expect(config.taskQueues).toEqual([
      { name: 'feeds', exchange: 'media', routingKey: 'feed.#' },
      { name: 'mail' },
    ])
  })

  it('warn of a name that is no setting, and refuse one that is no object', () => {
    expect(load('[celery:broker_transport_option]\na = 1\n').warnings).toEqual([
      'the section [celery:broker_transport_option] names no setting; did you mean broker_transport_options?',
    ])
    expect(() => load('[celery:task_acks_late]\na = 1\n')).toThrow('taskAcksLate is no object')
  })

  it('hold the schedule as plain data', () => {
    const loaded = load(`
[celerybeat:task1]
task = app1.tasks.Task1
type = crontab
schedule = {"minute": 0, "day_of_week": [1, 5], "hour": "*/3"}
[celerybeat:task2]
task = app1.tasks.Task2
type = timedelta
schedule = {"seconds": 30, "minutes": 1}
args = [16, 16]
kwargs = {"boom": "shaka"}
options = {"queue": "slow"}
[celerybeat:task3]
task = app1.tasks.Task3
type = integer
schedule = 30
`)

    expect(resolveWritten(loaded.values).beatSchedule).toEqual({
      task1: {
        task: 'app1.tasks.Task1',
        schedule: { type: 'crontab', minute: 0, dayOfWeek: '1,5', hour: '*/3' },
      },
      task2: {
        task: 'app1.tasks.Task2',
        schedule: { seconds: 30, minutes: 1 },
        args: [16, 16],
        kwargs: { boom: 'shaka' },
        options: { queue: 'slow' },
      },
      task3: { task: 'app1.tasks.Task3', schedule: 30 },
    })
  })

  it.each<[string, string, string]>([
    [
      'code',
      "type = integer\nschedule = __import__('os')",
      'expected schedule (development.ini:4) in [celerybeat:a] to be JSON',
    ],
    ['an unknown type', 'type = solar\nschedule = {}', 'to be crontab, timedelta or integer, got: "solar"'],
    ['an unknown field', 'type = crontab\nschedule = {"minutes": 0}', 'to be made of minute, hour'],
    [
      'an unknown unit',
      'type = timedelta\nschedule = {"fortnights": 1}',
      'to be a JSON object such as {"minutes": 5}',
    ],
    ['an empty interval', 'type = timedelta\nschedule = {}', 'to be a JSON object such as {"minutes": 5}'],
    ['no interval', 'type = integer\nschedule = 0', 'to be a positive number of seconds'],
    ['no schedule', 'type = integer', 'development.ini:2: the section [celerybeat:a] has no schedule'],
    ['args that are no list', 'type = integer\nschedule = 1\nargs = {}', 'to be a JSON list, got: "{}"'],
  ])('refuse %s as schedule', (_what, lines, message) => {
    expect(() => load(`[celerybeat:a]\ntask = t\n${lines}\n`)).toThrow(message)
  })
})
