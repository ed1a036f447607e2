import { expect, test } from '@jest/globals'

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

test(
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

test(
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

test(
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

test(
  'a level that is none is refused by its name',
  async () => {
    await using project = await createProject()

    const result = await project.run(['-A', 'tasks', 'worker', '--worker-redirect-stdouts-level', 'loud'])

    expect(result.code).toBe(78)
    expect(result.stderr).toContain('workerRedirectStdoutsLevel')
  },
  LIMIT_MS,
)
