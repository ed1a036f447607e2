import { afterEach, describe, expect, it } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, crontab, Lovage, periodicTask, setDefaultApp, TaskError } from '../../../src/index.js'
import type { ConfigInput } from '../../../src/config/config.js'
import type { PeriodicEntry } from '../../../src/beat/entry.js'
import { nextOfEntry } from '../../../src/beat/entry.js'
import { internalsOf } from '../../../src/util/internals.js'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function entryOf(app: Lovage, name: string): PeriodicEntry {
  const entry = internalsOf(app).periodic.all().get(name)
  if (entry === undefined)
    throw new Error(`no entry ${name} among ${[...internalsOf(app).periodic.all().keys()].join()}`)
  return entry
}

function nextOf(app: Lovage, name: string, after: string): string {
  const ms = nextOfEntry(entryOf(app, name), Date.parse(after), internalsOf(app).config().timezone)
  return new Date(ms ?? Number.NaN).toISOString()
}

describe('app.periodicTask', () => {
  it('defines a task with every option of one, and an entry under its name', () => {
    const app = new Lovage('shop')

    const clean = app.periodicTask(
      { name: 'shop.clean', runEvery: { seconds: 30 }, queue: 'slow', maxRetries: 1 },
      () => 'done',
    )

    expect(clean()).toBe('done')
    expect(app.tasks.get('shop.clean')?.options).toEqual({ name: 'shop.clean', queue: 'slow', maxRetries: 1 })
    expect(entryOf(app, 'shop.clean')).toMatchObject({
      task: 'shop.clean',
      args: [],
      catchUp: { policy: 'last' },
    })
    expect(nextOf(app, 'shop.clean', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:30.000Z')
  })

  it('takes its name first, its context with bind, and decorates methods', () => {
    const app = new Lovage('shop', { backend: false })
    // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- only its static method is of interest
    class Shop {
      @app.periodicTask({ runEvery: '@daily' })
      static close(): string {
        return 'closed'
      }
    }

    app.periodicTask('shop.bound', { runEvery: crontab(), bind: true }, (self) => self.request.id)

    expect(Shop.close()).toBe('closed')
    expect([...internalsOf(app).periodic.all().keys()].sort()).toEqual(['shop.Shop.close', 'shop.bound'])
  })

  it('works on the default app', () => {
    const app = new Lovage('mine')
    setDefaultApp(app)

    periodicTask({ name: 'mine.tick', runEvery: 5 }, () => undefined)

    expect(entryOf(app, 'mine.tick').task).toBe('mine.tick')
  })

  it('refuses a task without runEvery, and a schedule that is none, by name', () => {
    const app = new Lovage('shop')

    expect(() => app.periodicTask({ name: 'x', runEvery: '0 0 * * 9' }, () => 1)).toThrow(
      /the periodic task "x".*dayOfWeek/,
    )
    // @ts-expect-error a periodic task has to say when
    expect(() => app.periodicTask({ name: 'y' }, () => 1)).toThrow(ConfigError)
  })
})

describe('app.addPeriodicTask', () => {
  it('adds a signature with its arguments and options, in onAfterConfigure too', () => {
    const app = new Lovage('shop')
    const add = app.task('shop.add', (one: number, other: number) => one + other)
    app.onAfterConfigure(() => {
      app.addPeriodicTask(10, add.s(2), {
        name: 'adding',
        args: [1],
        kwargs: { note: 'x' },
        expires: 60,
        queue: 'quick',
        options: { priority: 3 },
      })
    })

    expect(entryOf(app, 'adding')).toMatchObject({
      task: 'shop.add',
      args: [1, 2],
      kwargs: { note: 'x' },
      options: { expires: 60, queue: 'quick', priority: 3 },
    })
  })

  it('names an entry by its call, and warns when a name is taken', () => {
    const warnings: string[] = []
    const logger = new Proxy(internalsOf(new Lovage()).logger, {
      get: () => (_: object, text: string) => warnings.push(text),
    })
    const app = new Lovage('shop', { backend: false }, { logger })
    const add = app.task('shop.add', (one: number, other: number) => one + other)

    expect(app.addPeriodicTask(10, add.s(1, 2))).toBe('shop.add(1, 2)')
    app.addPeriodicTask(20, add.s(1, 2), { kwargs: { a: 'b' } })
    app.addPeriodicTask(20, add.s(1, 2), { name: 'other' })
    expect(warnings).toEqual([])
    app.addPeriodicTask(30, add.s(1, 2))

    expect(warnings).toEqual([expect.stringContaining('"shop.add(1, 2)" is declared twice')])
    expect([...internalsOf(app).periodic.all().keys()]).toEqual([
      'shop.add(1, 2)',
      "shop.add(1, 2, a='b')",
      'other',
    ])
    expect(nextOf(app, 'shop.add(1, 2)', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:30.000Z')
  })
})

describe('beatSchedule', () => {
  const entries = {
    report: {
      task: 'shop.report',
      schedule: crontab({ minute: 0, hour: 8 }),
      args: [1],
      kwargs: { full: true },
      options: { queue: 'slow', routing_key: 'slow', expires: 60 },
    },
    tick: { task: 'shop.tick', schedule: 30, relative: true },
    cron: { task: 'shop.tick', schedule: '30 7 * * mon', timezone: 'Asia/Tokyo' },
  }

  it.each(['beatSchedule', 'beat_schedule', 'CELERYBEAT_SCHEDULE'])('is read as %s', (spelling) => {
    const app = new Lovage('shop', { [spelling]: entries })

    expect(entryOf(app, 'report')).toMatchObject({
      args: [1],
      kwargs: { full: true },
      options: { queue: 'slow', routingKey: 'slow', expires: 60 },
    })
    expect(nextOf(app, 'report', '2026-01-01T00:00:00Z')).toBe('2026-01-01T08:00:00.000Z')
    expect(nextOf(app, 'tick', '2026-01-01T00:00:10.400Z')).toBe('2026-01-01T00:00:40.000Z')
    expect(nextOf(app, 'cron', '2026-01-04T00:00:00Z')).toBe('2026-01-04T22:30:00.000Z')
  })

  it.each([
    [{ timezone: 'Asia/Tokyo' }, '2026-01-01T23:00:00.000Z'],
    [{ CELERY_TIMEZONE: 'Asia/Tokyo' }, '2026-01-01T23:00:00.000Z'],
    [{ CELERY_TIMEZONE: 'Asia/Tokyo', CELERY_ENABLE_UTC: true }, '2026-01-01T23:00:00.000Z'],
    [{ CELERY_ENABLE_UTC: true }, '2026-01-02T08:00:00.000Z'],
    [{}, '2026-01-02T08:00:00.000Z'],
  ])('has its times in the zone of %j', (settings, expected) => {
    const app = new Lovage('shop', { beatSchedule: { report: entries.report } })
    app.conf.update(settings)

    expect(nextOf(app, 'report', '2026-01-01T12:00:00Z')).toBe(expected)
  })

  it('has them in the zone of the machine when UTC is off', () => {
    const app = new Lovage('shop', { beatSchedule: { report: entries.report } })
    app.conf.update({ CELERY_ENABLE_UTC: false })

    const local = new Date(Date.parse(nextOf(app, 'report', '2026-01-01T12:00:00Z')))

    expect([local.getHours(), local.getMinutes()]).toEqual([8, 0])
  })

  it('comes from sections of an ini file, evaluating nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lovage-ini-'))
    folders.push(folder)
    const path = join(folder, 'development.ini')
    writeFileSync(
      path,
      `[celery]
CELERY_TIMEZONE = Asia/Tokyo
[celerybeat:morning]
task = shop.report
type = crontab
schedule = {"minute": 0, "hour": "8"}
[celerybeat:often]
task = shop.tick
type = timedelta
schedule = {"seconds": 30}
args = [16, 16]
`,
    )
    const app = new Lovage('shop')

    await app.configFromObject(path)

    expect(nextOf(app, 'morning', '2026-01-01T00:00:00Z')).toBe('2026-01-01T23:00:00.000Z')
    expect(nextOf(app, 'often', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:30.000Z')
    expect(entryOf(app, 'often').args).toEqual([16, 16])
  })

  it.each<[string, ConfigInput, readonly string[]]>([
    ['results in SQL', { backend: 'sqlite:///results.db' }, ['celery.backend_cleanup']],
    ['results of Python’s URL', { backend: 'db+postgresql://localhost/shop' }, ['celery.backend_cleanup']],
    ['results in SQL that never end', { backend: 'sqlite:///results.db', resultExpires: 0 }, []],
    ['results that Redis ends', { backend: 'redis://localhost' }, []],
    ['no results', { backend: false }, []],
  ])('has the daily celery.backend_cleanup of Celery or not: %s', (_what, settings, expected) => {
    const app = new Lovage('shop', { broker: 'memory://', timezone: 'Asia/Tokyo', ...settings })

    expect([...internalsOf(app).periodic.all().keys()]).toEqual(expected)
    if (expected.length === 0) return
    expect(entryOf(app, 'celery.backend_cleanup').options).toMatchObject({ expires: 43_200 })
    expect(nextOf(app, 'celery.backend_cleanup', '2026-01-01T00:00:00Z')).toBe('2026-01-01T19:00:00.000Z')
  })

  it('may say itself when celery.backend_cleanup is sent', () => {
    const own = { task: 'celery.backend_cleanup', schedule: 60 }
    const app = new Lovage('shop', {
      backend: 'sqlite:///results.db',
      beatSchedule: { 'celery.backend_cleanup': own },
    })

    expect(nextOf(app, 'celery.backend_cleanup', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:01:00.000Z')
  })

  it.each([
    [{ task: 't', schedule: 30, options: { prioritty: 1 } }, TaskError, /prioritty.*priority/],
    [{ task: 't', schedule: 30, catchUp: 'none' }, ConfigError, /catchUp/],
    [{ task: 't', schedule: 30, timezone: 'Nowhere' }, ConfigError, /IANA/],
    [{ task: 't', schedule: 'noon' }, ConfigError, /"bad".*five fields/],
    [{ task: 't', schedule: true }, ConfigError, /"bad"/],
  ])('refuses %j', (entry, errorClass, message) => {
    const app = new Lovage('shop', { beatSchedule: { bad: entry } })

    expect(() => internalsOf(app).periodic.all()).toThrow(errorClass)
    expect(() => internalsOf(app).periodic.all()).toThrow(message)
  })
})
