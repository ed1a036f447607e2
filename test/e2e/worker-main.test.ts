import { describe, expect, it } from '@jest/globals'

import { node } from '../support/child.js'
import { createProject } from './project.js'

const OWN_PROGRAM = `
import { Lovage } from 'lovage'

const app = new Lovage('shop')
export const add = app.task('shop.add', (x, y) => x + y)
process.exitCode = await app.workerMain(JSON.parse(process.argv[2]))
`

describe('a program that is a worker itself', () => {
  it('runs its own app as the command line would, and ends with the exit code', async () => {
    await using project = await createProject({ 'worker.js': OWN_PROGRAM })
    const argv = ['worker', '-c', '3', '-l', 'info', '--log-format', 'text']
    await using worker = node(project.file('worker.js'), [JSON.stringify(argv)], { cwd: project.folder })
    await worker.waitForLine('ready.')

    const called = await project.run(['-A', 'tasks', 'call', 'shop.add', '--args', '[20, 22]', '--wait'])
    worker.kill('SIGTERM')
    const { code, stdout, stderr } = await worker.exited

    expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining('42') })
    expect(stdout).toMatch(/concurrency:\s+3 \(async\)/)
    expect(stderr).toContain('Task shop.add')
    expect(code).toBe(0)
  }, 60_000)

  it('need not say "worker", and is told what is wrong with its words', async () => {
    await using project = await createProject({ 'worker.js': OWN_PROGRAM })
    await using worker = node(project.file('worker.js'), ['["-l", "loud"]'], { cwd: project.folder })

    const { code, stderr } = await worker.exited

    expect(stderr).toContain('got "loud"')
    expect(code).toBe(2)
  }, 60_000)
})

describe('settings that nothing acts on', () => {
  it('are named when a worker starts, with what to use instead', async () => {
    await using project = await createProject({
      'lovage.config.js':
        'export default { worker_logfile: "w.log", beat_sync_every: 1, task_acks_late: true }',
    })
    await using worker = await project.worker()
    worker.kill('SIGTERM')

    const { stderr } = await worker.exited

    expect(stderr).toContain('nothing acts on these settings in this version')
    expect(stderr).toContain('workerLogfile (logs go to standard error; redirect it)')
    expect(stderr).toContain('beatSyncEvery')
    expect(stderr).not.toContain('taskAcksLate')
  }, 60_000)
})
