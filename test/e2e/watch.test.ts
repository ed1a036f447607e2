import { writeFile } from 'node:fs/promises'

import { expect, it } from '@jest/globals'

import { createProject } from './project.js'

const LIMIT_MS = 90_000

const tasks = (answer: string): string => `
  import { setTimeout as sleep } from 'node:timers/promises'
  import { Lovage } from 'lovage'
  import { punctuation } from './lib/punctuation.js'
  export const app = new Lovage('shop')
  export const nap = app.task('shop.nap', async (ms: number) => { await sleep(ms); return '${answer}' + punctuation })`

const FILES = { 'tasks.ts': tasks('old'), 'lib/punctuation.ts': `export const punctuation = '.'` }

it(
  'worker --watch lets the running task end, and the next one runs the edited code',
  async () => {
    await using project = await createProject(FILES)
    await using worker = await project.worker(['--watch'])
    await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[1500]', '--task-id', 'first'])
    await worker.waitForLine('shop.nap[first] received')
    await writeFile(project.file('tasks.ts'), tasks('new'))
    await worker.waitForLine('tasks.ts has changed: restarting the worker')
    const first = await project.run(['-A', 'tasks', 'result', 'first', '--timeout', '20'])
    const second = await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[1]', '--wait', '20'])
    await writeFile(project.file('lib/punctuation.ts'), `export const punctuation = '!'`)
    await worker.waitForLine('lib/punctuation.ts has changed')
    const third = await project.run(['-A', 'tasks', 'call', 'shop.nap', '-a', '[1]', '--wait', '20'])
    worker.kill('SIGTERM')

    expect(first.stdout).toBe('old.\n')
    expect(second.stdout).toBe('new.\n')
    expect(third.stdout).toBe('new!\n')
    expect((await worker.exited).code).toBe(0)
  },
  LIMIT_MS,
)

it(
  'a file that does not load is told, and the worker starts once it is mended',
  async () => {
    await using project = await createProject({ ...FILES, 'tasks.ts': 'export const = 1' })
    await using worker = project.start(['-A', 'tasks', 'worker', '--watch', '--log-format', 'text'])
    await worker.waitForLine('exit code 78; waiting for a change')
    await writeFile(project.file('tasks.ts'), tasks('mended'))
    await worker.waitForLine('ready.')
    worker.kill('SIGTERM')

    expect((await worker.exited).code).toBe(0)
  },
  LIMIT_MS,
)

it(
  'the worker ends when the process that watches is killed',
  async () => {
    await using project = await createProject(FILES)
    await using worker = await project.worker(['--watch'])
    await worker.stop()

    // Its output is complete only when the worker has closed it, too.
    expect((await worker.exited).signal).toBe('SIGKILL')
  },
  LIMIT_MS,
)
