import { expect, it } from '@jest/globals'

import { createProject } from '../../e2e/project.js'
import { node } from '../../support/child.js'

const LIMIT_MS = 60_000

const INI = `
[app:main]
use = config:base.ini
app = tasks
BROKER_URL = sqlite:///%(here)s/{name}.sqlite
`

const BASE = `
[app:main]
use = egg:shop
sqlalchemy.url = sqlite:////srv/shop.db
CELERY_TASK_RESULT_EXPIRES = 3600
`

it(
  'the same code serves two environments from two ini files, each with a store of its own',
  async () => {
    await using project = await createProject({
      'base.ini': BASE,
      'development.ini': INI.replace('{name}', 'dev'),
      'production.ini': INI.replace('{name}', 'prod'),
    })
    await project.run(['call', './production.ini', 'shop.add', '-a', '[1, 1]', '--task-id', 'waits'])
    await using worker = project.start(['worker', './development.ini', '--log-format', 'text'])
    await worker.waitForLine('ready.')

    const inDevelopment = await project.run([
      'call',
      './development.ini',
      'shop.add',
      '-a',
      '[5, 10]',
      '--wait',
    ])
    const inProduction = await project.run(['result', './production.ini', 'waits', '--timeout', '0'])

    expect(inDevelopment.stdout.trim()).toBe('15')
    expect(inProduction.code).not.toBe(0)
    expect(worker.output).not.toContain('waits')
  },
  LIMIT_MS,
)

it(
  'one call of setupLoader gives a web process the settings of the worker, and the host its own keys',
  async () => {
    await using project = await createProject({
      'base.ini': BASE,
      'development.ini': INI.replace('{name}', 'dev'),
      'web.mjs': `
        import { setupLoader, task } from 'lovage'
        const app = await setupLoader('./development.ini')
        const add = task('shop.add', (x, y) => x + y)
        const result = await add.delay(5, 10)
        console.log(JSON.stringify([result.taskName, await result.get(10), app.conf['sqlalchemy.url'],
          app.conf.resultExpires]))
        await app.close()
        const closed = performance.now()
        process.on('exit', () => console.log(performance.now() - closed < 1000 ? 'ended at once' : 'hung'))
      `,
    })
    await using worker = project.start(['worker', './development.ini', '--log-format', 'text'])
    await worker.waitForLine('ready.')

    await using web = node(project.file('web.mjs'), [], { cwd: project.folder })
    const { code, stdout, stderr } = await web.exited

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [line = '', end] = stdout.trim().split('\n')
    expect(JSON.parse(line)).toEqual(['shop.add', 15, 'sqlite:////srv/shop.db', 3600])
    expect(end).toBe('ended at once')
  },
  LIMIT_MS,
)

it(
  'tasks are discovered in the tasks file of each listed folder, or in the file of the name that was given',
  async () => {
    const taskFile = (name: string): string =>
      `import { task } from 'lovage'\nexport const run = task('${name}', (x: number) => x + 1)\n`
    await using project = await createProject({
      'tasks.ts': `
        import { Lovage, setDefaultApp } from 'lovage'
        export const app = new Lovage('shop')
        setDefaultApp(app)
        app.autodiscoverTasks(['calculator', './billing'])
        app.autodiscoverTasks(() => ['calculator'], { relatedName: 'jobs' })
      `,
      'calculator/tasks.ts': taskFile('calculator.increase'),
      'calculator/jobs.ts': taskFile('calculator.job'),
      'billing/tasks.ts': taskFile('billing.invoice'),
      'billing/jobs.ts': taskFile('billing.job'),
    })
    await using worker = await project.worker()

    const called = await project.run(['-A', 'tasks', 'call', 'billing.invoice', '-a', '[1]', '--wait'])

    expect(called.stdout.trim()).toBe('2')
    for (const name of ['calculator.increase', 'calculator.job', 'billing.invoice']) {
      expect(worker.stdout).toContain(name)
    }
    expect(worker.stdout).not.toContain('billing.job')
  },
  LIMIT_MS,
)

it(
  'settings come from a module, an export of one, and the one that a variable names',
  async () => {
    await using project = await createProject({
      'celeryconfig.mjs': `export const broker_url = 'memory://named'; export const task_acks_late = false`,
      'classes.mjs': `export const Production = { brokerUrl: 'memory://production' }`,
      'common.cjs': `module.exports = { CELERY_DEFAULT_QUEUE: 'common' }`,
      'read.mjs': `
        import { Lovage } from 'lovage'
        const read = async (load, key) => {
          const app = new Lovage('shop')
          await load(app)
          return app.conf[key]
        }
        process.env.SETTINGS = './celeryconfig.mjs'
        console.log(JSON.stringify([
          await read((app) => app.configFromObject('./celeryconfig.mjs'), 'brokerUrl'),
          await read((app) => app.configFromObject('./classes.mjs:Production'), 'brokerUrl'),
          await read((app) => app.configFromObject('./common.cjs'), 'taskDefaultQueue'),
          await read((app) => app.configFromEnvvar('SETTINGS'), 'taskAcksLate'),
          await read((app) => app.configFromEnvvar('NOT_SET', { silent: true }), 'taskDefaultQueue'),
          await read((app) => app.configFromEnvvar('NOT_SET'), 'brokerUrl').catch((error) => error.name),
          await read((app) => app.configFromObject('./missing.mjs', { silent: true }), 'taskDefaultQueue'),
        ]))
      `,
    })

    await using reader = node(project.file('read.mjs'), [], { cwd: project.folder })
    const { stdout, stderr } = await reader.exited

    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([
      'memory://named',
      'memory://production',
      'common',
      false,
      'celery',
      'ConfigError',
      'celery',
    ])
  },
  LIMIT_MS,
)

it(
  'a module of tasks that does not load stops the worker with its path',
  async () => {
    await using project = await createProject({ 'more.ts': 'throw new RangeError("not today")' })

    const { code, stderr } = await project.run(['-A', 'tasks', 'worker', '-I', './more.ts'])

    expect(code).toBe(78)
    expect(stderr).toContain('more.ts')
    expect(stderr).toContain('not today')
  },
  LIMIT_MS,
)

it(
  'modules of tasks load in the order of imports, then include, then -I',
  async () => {
    const loads = (name: string): string => `console.error('loads ${name}')\n`
    await using project = await createProject({
      'one.js': loads('one'),
      'two.js': loads('two'),
      'three.js': loads('three'),
      'four.js': loads('four'),
      'lovage.config.js': `export default { include: ['./three.js'], imports: ['./two.js', './one.js'] }`,
    })
    await using worker = await project.worker(['-I', './four.js'])
    worker.kill('SIGTERM')

    const { stderr } = await worker.exited

    expect(stderr.match(/(?<=loads )\w+/g)).toEqual(['two', 'one', 'three', 'four'])
  },
  LIMIT_MS,
)
