import { describe, expect, it } from '@jest/globals'

import { createProject } from './project.js'

const LIMIT_MS = 60_000

/** What `report` says of the app that was found. */
const REPORT = ['report', '--json']

describe('TypeScript', () => {
  it(
    'enums, decorators, parameter properties and .js imports of .ts files load without flags',
    async () => {
      await using project = await createProject({
        'tasks.ts': `
          import { Lovage } from 'lovage'
          import { factor } from './lib/factor.js'
          import type { Nothing } from './nowhere.js'
          enum Unit { Piece = 1, Dozen = 12 }
          export const app = new Lovage('shop')
          class Stock {
            constructor(private readonly unit: Unit) {}
            @app.task('stock.count')
            count(pieces: number): number { return pieces * factor * this.unit }
          }
          export const stock: Stock = new Stock(Unit.Dozen)
          export const dozens = app.task('stock.dozens', (pieces: number, unit: Unit = Unit.Dozen) => pieces * factor * unit)
          export type { Nothing }`,
        'lib/factor.ts': 'export { factor } from "./value"',
        'lib/value.ts': 'export const factor: number = 2',
      })
      const input =
        'dozens(2)\n[...app.tasks.keys()].filter((name) => name.startsWith("stock.")).sort().join()'

      const result = await project.run(['-A', './tasks.ts', 'shell'], { input })

      expect(result).toMatchObject({ code: 0, stdout: '48\nstock.count,stock.dozens\n', stderr: '' })
    },
    LIMIT_MS,
  )

  it(
    'ES modules load in a package that is CommonJS, with the same copy of lovage as the command line',
    async () => {
      await using project = await createProject({}, {})

      const result = await project.run(['-A', 'tasks', ...REPORT])

      expect(result).toMatchObject({ code: 0, stderr: '' })
      expect(JSON.parse(result.stdout)).toMatchObject({ app: { main: 'shop' } })
    },
    LIMIT_MS,
  )

  it(
    'JavaScript loads too, also CommonJS that requires the package',
    async () => {
      await using project = await createProject({
        'plain.mjs': `import { Lovage } from 'lovage'\nexport const app = new Lovage('plain')`,
        'common.cjs': `const { Lovage } = require('lovage')\nmodule.exports = { app: new Lovage('common') }`,
      })

      const plain = await project.run(['-A', './plain.mjs', ...REPORT])
      const common = await project.run(['-A', 'common', ...REPORT])

      expect(JSON.parse(plain.stdout)).toMatchObject({ app: { main: 'plain' } })
      expect(JSON.parse(common.stdout)).toMatchObject({ app: { main: 'common' } })
    },
    LIMIT_MS,
  )

  it(
    'a fault inside of the module is told with its own stack',
    async () => {
      await using project = await createProject({
        'tasks.ts': `const port: number = 1\nthrow new TypeError('no port ' + port)`,
        'broken.ts': `export const = 1`,
        'missing.ts': `import './nowhere.js'`,
      })

      const thrown = await project.run(['-A', 'tasks', ...REPORT])
      const syntax = await project.run(['-A', 'broken', ...REPORT])
      const missing = await project.run(['-A', 'missing', ...REPORT])

      expect(thrown.code).toBe(78)
      expect(thrown.stderr).toContain('./tasks.ts could not be loaded: no port 1')
      expect(thrown.stderr).toContain('tasks.ts:2:7')
      expect(syntax.code).toBe(78)
      expect(syntax.stderr).toContain('broken.ts:1')
      expect(missing.code).toBe(78)
      expect(missing.stderr).toContain('nowhere.js')
    },
    LIMIT_MS,
  )
})

describe('which app', () => {
  const apps = `
    import { Lovage } from 'lovage'
    export const orders = new Lovage('orders')
    export const mails = new Lovage('mails')`

  it(
    'the only instance, the named export, or an error that names them all',
    async () => {
      await using project = await createProject({
        'one.ts': `import { Lovage } from 'lovage'\nexport const orders = new Lovage('orders')\nexport const other = 1`,
        'two.ts': apps,
      })

      const one = await project.run(['-A', 'one', ...REPORT])
      const named = await project.run(['-A', './two.ts:mails', ...REPORT])
      const ambiguous = await project.run(['-A', 'two', ...REPORT])
      const wrong = await project.run(['-A', 'two:mail', ...REPORT])
      const none = await project.run(['-A', './package.json', ...REPORT])

      expect(JSON.parse(one.stdout)).toMatchObject({ app: { main: 'orders' } })
      expect(JSON.parse(named.stdout)).toMatchObject({ app: { main: 'mails' } })
      expect(ambiguous.code).toBe(78)
      expect(ambiguous.stderr).toContain('several apps: mails, orders')
      expect(wrong.code).toBe(78)
      expect(wrong.stderr).toContain('did you mean ./two.ts:mails?')
      expect(none.code).toBe(78)
    },
    LIMIT_MS,
  )

  it(
    'a module that is not there is answered with a near one, LOVAGE_APP stands in for -A',
    async () => {
      await using project = await createProject({ 'shop/app.ts': apps })

      const typo = await project.run(['-A', './taks.ts', ...REPORT])
      const folder = await project.run(['-A', 'shop:orders', ...REPORT])
      const variable = await project.run(REPORT, { env: { LOVAGE_APP: 'tasks' } })
      const nothing = await project.run(['worker'])

      expect(typo.code).toBe(78)
      expect(typo.stderr).toContain('did you mean ./tasks.ts?')
      expect(JSON.parse(folder.stdout)).toMatchObject({ app: { main: 'orders' } })
      expect(JSON.parse(variable.stdout)).toMatchObject({ app: { main: 'shop' } })
      expect(nothing.code).toBe(2)
      expect(nothing.stderr).toContain('lovage -A ./tasks.ts worker')
    },
    LIMIT_MS,
  )
})

describe('settings', () => {
  it(
    '-b beats the environment, which beats the ini file, which beats the code',
    async () => {
      await using project = await createProject({
        'dev.ini': '[celery]\nbroker_url = memory://ini\nlease = 7\nworker_concurrency = 3\n',
      })
      const env = { LOVAGE_BROKER_URL: 'memory://environment', LOVAGE_WORKER_CONCURRENCY: '4' }

      const all = await project.run(['report', 'dev.ini', '-A', 'tasks', '-b', 'memory://option', '--json'], {
        env,
      })
      const some = await project.run(['-A', 'tasks', 'report', '--ini', 'dev.ini', '--json'], { env })

      expect(JSON.parse(all.stdout)).toMatchObject({
        settings: { brokerUrl: 'memory://option', workerConcurrency: 4, lease: 7 },
      })
      expect(JSON.parse(some.stdout)).toMatchObject({ settings: { brokerUrl: 'memory://environment' } })
    },
    LIMIT_MS,
  )

  it(
    'lovage.config.ts of the working folder is read where neither --config nor an ini file is named',
    async () => {
      await using project = await createProject({
        'lovage.config.ts': 'const many: number = 6\nexport default { workerConcurrency: many }',
        'other.js': 'export const worker_concurrency = 2',
        'dev.ini': '[celery]\nworker_concurrency = 3\n',
      })

      const own = await project.run(['-A', 'tasks', ...REPORT])
      const named = await project.run(['-A', 'tasks', '--config', './other.js', ...REPORT])
      const ini = await project.run(['report', 'dev.ini', '-A', 'tasks', '--json'])

      expect(JSON.parse(own.stdout)).toMatchObject({ settings: { workerConcurrency: 6 } })
      expect(JSON.parse(named.stdout)).toMatchObject({ settings: { workerConcurrency: 2 } })
      expect(JSON.parse(ini.stdout)).toMatchObject({ settings: { workerConcurrency: 3 } })
    },
    LIMIT_MS,
  )

  it(
    'a wrong setting ends with exit code 78 and one line',
    async () => {
      await using project = await createProject({
        'settings.ts': 'export const task_acks_lat: boolean = false',
        'dev.ini': '[celery]\nworker_concurrency = many\n',
      })

      const module = await project.run(['-A', 'tasks', '--config', './settings.ts', ...REPORT])
      const ini = await project.run(['report', './dev.ini', '-A', 'tasks'])
      const scheme = await project.run([
        '-A',
        'tasks',
        '-b',
        'redsi://localhost',
        'call',
        'shop.add',
        '-a',
        '[1, 2]',
      ])

      expect(module.code).toBe(78)
      expect(module.stderr).toContain('task_acks_late')
      expect(ini.code).toBe(78)
      expect(ini.stderr).toContain('dev.ini')
      expect(scheme.code).toBe(78)
      expect(scheme.stderr.trim().split('\n')).toHaveLength(1)
    },
    LIMIT_MS,
  )

  it(
    'a store that cannot be reached is one line and exit code 69',
    async () => {
      await using project = await createProject({ blocked: 'a file, no folder' })

      const result = await project.run([
        '-A',
        'tasks',
        '-b',
        `sqlite:///${project.file('blocked')}/queue.sqlite`,
        'call',
        'shop.add',
        '-a',
        '[1, 2]',
      ])

      expect(result).toMatchObject({ code: 69, stdout: '' })
      expect(result.stderr.trim().split('\n')).toHaveLength(1)
    },
    LIMIT_MS,
  )
})

describe('an ini file as the first argument', () => {
  const files = {
    'development.ini': `
[DEFAULT]
data = %(here)s/data
[app:main]
use = config:base.ini
sqlalchemy.url = sqlite:///%(data)s/host.db
BROKER_URL = sqlite:///%(here)s/queue.sqlite
[celery]
app = ./tasks.ts
`,
    'base.ini': '[app:main]\nCELERY_DEFAULT_QUEUE = orders\n',
    'default.ini':
      '[celery]\nbroker_url = sqlite:///%(here)s/other.sqlite\nimports = ./shared.ts orders.tasks\n',
    'shared.ts': `import { task } from 'lovage'\nexport const double = task('shared.double', (x: number) => x * 2)`,
    'orders/tasks.ts': `import { task } from 'lovage'\nexport const half = task('orders.half', (x: number) => x / 2)`,
  }

  it.each([
    ['worker', './development.ini'],
    ['./development.ini', 'worker'],
    ['pceleryd', './development.ini'],
    ['celeryd', 'development.ini'],
  ])(
    'lovage %s %s starts a worker of its app',
    async (...words) => {
      await using project = await createProject(files)
      await using worker = project.start([...words, '--log-format', 'text'])
      await worker.waitForLine('ready.')
      const result = await project.run([
        'call',
        'development.ini',
        'shop.add',
        '-a',
        '[2, 3]',
        '--wait',
        '20',
      ])
      worker.kill('SIGTERM')
      const exit = await worker.exited

      expect(result).toMatchObject({ code: 0, stdout: '5\n' })
      expect(exit.code).toBe(0)
      expect(exit.stdout).toMatch(/transport: +sqlite:\/\/\/.*queue\.sqlite\n/)
      expect(exit.stdout).toMatch(/queues: +orders\n/)
    },
    LIMIT_MS,
  )

  it(
    'without an app in it the default app runs the tasks of its imports',
    async () => {
      await using project = await createProject(files)
      await using worker = project.start(['worker', 'default.ini', '--log-format', 'text'])
      await worker.waitForLine('ready.')

      const result = await project.run(['call', 'default.ini', 'shared.double', '-a', '[21]', '--wait', '20'])
      const dotted = await project.run(['call', 'default.ini', 'orders.half', '-a', '[42]', '--wait', '20'])

      expect(result).toMatchObject({ code: 0, stdout: '42\n' })
      expect(dotted).toMatchObject({ code: 0, stdout: '21\n' })
    },
    LIMIT_MS,
  )
})

describe('help', () => {
  it(
    'a mistyped command is answered with the nearest one',
    async () => {
      await using project = await createProject()

      const result = await project.run(['-A', 'tasks', 'wroker'])

      expect(result.code).toBe(2)
      expect(result.stderr).toContain('Did you mean worker?')
    },
    LIMIT_MS,
  )

  it(
    '--help and --version end with 0',
    async () => {
      await using project = await createProject()

      const help = await project.run(['--help'])
      const worker = await project.run(['worker', '--help'])
      const version = await project.run(['--version'])

      expect(help).toMatchObject({ code: 0, stderr: '' })
      expect(help.stdout).toContain('Exit codes')
      expect(worker.stdout).toContain('--concurrency')
      expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    },
    LIMIT_MS,
  )

  it(
    'colours are for terminals: none on a pipe, any with FORCE_COLOR, none with --no-color',
    async () => {
      await using project = await createProject()
      const env = { FORCE_COLOR: '1', NO_COLOR: undefined }

      const piped = await project.run(['-A', 'x', 'report'], { env: { NO_COLOR: undefined } })
      const forced = await project.run(['-A', 'x', 'report'], { env })
      const refused = await project.run(['-A', 'x', '--no-color', 'report'], { env })

      expect(piped.stderr).not.toContain('\u001b[')
      expect(forced.stderr).toContain('\u001b[')
      expect(refused.stderr).not.toContain('\u001b[')
    },
    LIMIT_MS,
  )
})
