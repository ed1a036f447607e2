import { expect, it } from '@jest/globals'

import { createProject } from './project.js'

const LIMIT_MS = 60_000

const CHATTY = {
  'tasks.ts': `
    import { Lovage } from 'lovage'
    export const app = new Lovage('shop')
    export const talk = app.task({ name: 'shop.talk', bind: true }, async (self, what: string) => {
      await Promise.resolve()
      console.log('on %s', what)
      self.logger.info({}, 'logged')
    })`,
}

it(
  'what a task prints goes to the log as a warning with its name and id',
  async () => {
    await using project = await createProject(CHATTY)
    await using worker = project.start(['-A', 'tasks', 'worker'])
    await worker.waitForLine('ready.')
    await project.run(['-A', 'tasks', 'call', 'shop.talk', '-a', '["time"]', '--task-id', 'one'])
    const line = await worker.waitForLine('on time')
    worker.kill('SIGTERM')

    expect(JSON.parse(line)).toMatchObject({ level: 'warn', task: 'shop.talk', id: 'one', msg: 'on time' })
    expect((await worker.exited).stdout).toBe('')
  },
  LIMIT_MS,
)

it(
  'workerRedirectStdouts off leaves console alone, the level can be chosen, forms of Python’s apply',
  async () => {
    await using project = await createProject(CHATTY)
    await using worker = project.start([
      ...['-A', 'tasks', 'worker', '--worker-redirect-stdouts-level', 'ERROR'],
      '--worker-task-log-format=%(levelname)s %(task_name)s[%(task_id)s] %(message)s',
    ])
    await worker.waitForLine('ready.')
    await project.run(['-A', 'tasks', 'call', 'shop.talk', '-a', '["time"]', '--task-id', 'one'])
    await worker.waitForLine('ERROR shop.talk[one] on time')
    await worker.waitForLine('INFO shop.talk[one] logged')
    await worker.stop()
    await using plain = await project.worker(['--no-worker-redirect-stdouts'])
    await project.run(['-A', 'tasks', 'call', 'shop.talk', '-a', '["tea"]', '--task-id', 'two'])
    await plain.waitForLine('shop.talk[two] succeeded')

    expect(plain.stdout).toContain('\non tea\n')
  },
  LIMIT_MS,
)

it(
  'options of Celery’s that change nothing are accepted with one line that says so',
  async () => {
    await using project = await createProject()
    await using worker = await project.worker(['-E', '-O', 'fair', '--without-gossip'])
    worker.kill('SIGTERM')
    const { code, stderr } = await worker.exited

    expect(code).toBe(0)
    expect(stderr).toContain(
      'Warning: without effect here: --task-events, --optimization, --without-gossip\n',
    )
  },
  LIMIT_MS,
)

it(
  'a level that is none is refused by its name',
  async () => {
    await using project = await createProject()

    const result = await project.run(['-A', 'tasks', 'worker', '--worker-redirect-stdouts-level', 'loud'])

    expect(result.code).toBe(78)
    expect(result.stderr).toContain('workerRedirectStdoutsLevel')
  },
  LIMIT_MS,
)

it.each(['text', 'json'])(
  'a worker whose log in %s has lost its reader works on',
  async (format) => {
    await using project = await createProject()
    await using worker = project.start(['-A', 'tasks', 'worker', '--log-format', format])
    await worker.waitForLine('ready.')

    worker.closeOutputs()
    const printed: string[] = []
    for (const x of [1, 2, 3]) {
      const { stdout } = await project.run(['-A', 'tasks', 'call', 'shop.add', '-a', `[${x}, 1]`, '--wait'])
      printed.push(stdout)
    }
    worker.kill('SIGTERM')

    expect(printed).toEqual(['2\n', '3\n', '4\n'])
    expect(await worker.exited).toMatchObject({ code: 0, signal: null })
  },
  LIMIT_MS,
)

const FOREIGN = {
  'tasks.ts': `
    import { Lovage, Reject } from 'lovage'
    const evil = 'red\\u001b[31m\\r\\nforged\\u009b2J\\u2028\\u202e'
    export const app = new Lovage('shop')
    export const text = app.task('shop.text', () => evil)
    export const fail = app.task('shop.fail', () => { throw new Error(evil) })
    export const reject = app.task('shop.reject', () => { throw new Reject(evil) })
    export const say = app.task('shop.say', () => console.log(evil))
  `,
}
// eslint-disable-next-line no-control-regex -- they are what must not be printed
const COMMANDS_TO_TERMINAL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/

it(
  'escape sequences and line breaks in names, results and errors are printed escaped',
  async () => {
    await using project = await createProject(FOREIGN)
    await using worker = await project.worker()
    const evil = 'x\u001b[31m\r\nforged\u009b2J\u2028\u202e'
    const idOf = (name: string): string => `${name}-${evil}`
    for (const name of ['text', 'fail', 'reject', 'say']) {
      const sent = await project.run(['-A', 'tasks', 'call', `shop.${name}`, '--task-id', idOf(name)])
      expect(sent.code).toBe(0)
    }
    await project.run(['-A', 'tasks', 'call', evil, '--force'])
    await worker.waitForLine('Received unregistered task')
    const text = await project.run(['-A', 'tasks', 'result', idOf('text')])
    const failure = await project.run(['-A', 'tasks', 'result', idOf('fail')])
    const list = await project.run(['-A', 'tasks', 'dlq', 'list'])
    const show = await project.run(['-A', 'tasks', 'dlq', 'show', idOf('reject')])
    worker.kill('SIGTERM')
    const log = await worker.exited

    const printed = [text, failure, list, show, log].map(({ stdout, stderr }) => `${stdout}${stderr}`)
    expect(printed.filter((output) => COMMANDS_TO_TERMINAL.test(output))).toEqual([])
    expect(text.stdout).toBe('red\\u001b[31m\\r\\nforged\\u009b2J\\u2028\\u202e\n')
    expect(failure.stderr).toContain('FAILURE Error: red\\u001b[31m\\r\\nforged')
    expect(list.stdout.trimEnd().split('\n')).toHaveLength(2)
    expect(log.stderr).toContain('raised unexpected: Error: red\\u001b[31m\\r\\nforged')
    expect(log.stderr).not.toMatch(/^forged/m)
  },
  LIMIT_MS,
)
