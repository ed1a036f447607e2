import { expect, it } from '@jest/globals'

import { createProject } from '../../e2e/project.js'
import { node } from '../../support/child.js'

const LIMIT_MS = 60_000

it(
  'a module that only uses task is run by the default app',
  async () => {
    await using project = await createProject({
      'only.ts': `import { task } from 'lovage'\nexport const twice = task('only.twice', (x: number) => 2 * x)\n`,
    })
    await using worker = project.start(['-A', 'only', 'worker', '--log-format', 'text'])
    await worker.waitForLine('ready.')

    const called = await project.run(['-A', 'only', 'call', 'only.twice', '-a', '[4]', '--wait'])

    expect(called.stdout.trim()).toBe('8')
    expect(worker.stdout).toContain('only.twice')
  },
  LIMIT_MS,
)

it(
  'lovage.config.js is read by a process that sends as by the worker beside it',
  async () => {
    await using project = await createProject({
      'lovage.config.js': `export default { broker: 'sqlite:///shared.sqlite' }`,
      'shop.js': `
        import { Lovage } from 'lovage'
        export const app = new Lovage('shop')
        export const add = app.task('shop.add', (x, y) => x + y)
      `,
      'send.js': `
        import { add, app } from './shop.js'
        const result = await add.delay(1, 2)
        console.log(app.conf.broker, await result.get(20))
        await app.close()
      `,
    })
    await using worker = project.start(['-A', 'shop', 'worker', '--log-format', 'text'])
    await worker.waitForLine('ready.')

    const sent = await node(project.file('send.js'), [], { cwd: project.folder }).exited

    expect(sent).toMatchObject({ code: 0, stdout: 'sqlite:///shared.sqlite 3\n' })
  },
  LIMIT_MS,
)

it.each([
  ['call', 'shop.add'],
  ['shell'],
  ['beat'],
  ['beat', 'run', 'sweep'],
  ['beat', 'add', 'sweep', '--task', 'shop.sweep', '--every', '5'],
])(
  'lovage %s %s is refused where the message would be gone with the process',
  async (...words) => {
    await using project = await createProject()

    const refused = await project.run(['-A', 'tasks', '-b', 'memory://', ...words])

    expect(refused).toMatchObject({ code: 78, stdout: '' })
    expect(refused.stderr).toContain('memory:// keeps them in this process')
  },
  LIMIT_MS,
)

it(
  'lovage.config.ts in the working folder is read when nothing else is named',
  async () => {
    await using project = await createProject({
      'lovage.config.ts': `export default { broker: 'sqlite:///found.sqlite' as string }`,
      'other.ts': `export const BROKER_URL = 'sqlite:///named.sqlite'`,
    })

    const found = await project.run(['-A', 'tasks', 'report', '--json'])
    const named = await project.run(['-A', 'tasks', '--config', './other.ts', 'report', '--json'])
    const asked = await project.run(['-A', 'tasks', '-b', 'sqlite:///asked.sqlite', 'report', '--json'])

    const brokers = [found, named, asked].map(({ stdout }) => /sqlite:\/\/\/(\w+)\.sqlite/.exec(stdout)?.[1])
    expect(brokers).toEqual(['found', 'named', 'asked'])
  },
  LIMIT_MS,
)

it(
  'lines of a task carry its name and id, those of a helper too',
  async () => {
    await using project = await createProject({
      'talk.ts': `
        import { currentTask, Lovage } from 'lovage'
        export const app = new Lovage('shop')
        const helper = (): void => currentTask()?.logger.info({}, 'halfway')
        export const talk = app.task('shop.talk', async () => { await Promise.resolve(); helper() })
      `,
    })
    await using worker = project.start(['-A', 'talk', 'worker', '--log-format', 'text'])
    await worker.waitForLine('ready.')

    await project.run(['-A', 'talk', 'call', 'shop.talk', '--task-id', 'one', '--wait'])

    expect(await worker.waitForLine('halfway')).toMatch(/INFO.*shop\.talk\[one\].*halfway/)
  },
  LIMIT_MS,
)

it(
  'what a body prints goes to the log at warning, with name and id; raw where that is switched off',
  async () => {
    await using project = await createProject({
      'talk.ts': `
        import { Lovage } from 'lovage'
        export const app = new Lovage('shop')
        export const talk = app.task('shop.talk', () => { console.log('about %d', 7) })
      `,
    })
    await using logging = project.start(['-A', 'talk', 'worker', '--log-format', 'text'])
    await logging.waitForLine('ready.')
    await project.run(['-A', 'talk', 'call', 'shop.talk', '--task-id', 'one', '--wait'])
    const logged = await logging.waitForLine('about 7')
    logging.kill('SIGTERM')
    await logging.exited
    await using raw = project.start(['-A', 'talk', 'worker', '--worker-redirect-stdouts=no'])
    await raw.waitForLine('ready.')
    await project.run(['-A', 'talk', 'call', 'shop.talk', '--wait'])

    expect(logged).toMatch(/WARN.*shop\.talk\[one\].*about 7/)
    expect(await raw.waitForLine('about 7')).toBe('about 7')
  },
  LIMIT_MS,
)
