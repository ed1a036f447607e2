import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { expect, it } from '@jest/globals'

import { cliPath, node } from '../support/child.js'
import { createProject } from './project.js'

const LIMIT_MS = 60_000

it(
  'a link to the program under an old name is that command',
  async () => {
    await using project = await createProject({ 'dev.ini': '[celery]\napp = ./tasks.ts\n' })
    await symlink(cliPath, project.file('pceleryd'))
    await using worker = node(project.file('pceleryd'), ['./dev.ini', '--log-format', 'text'], {
      cwd: project.folder,
    })
    await worker.waitForLine('ready.')
    worker.kill('SIGTERM')

    expect((await worker.exited).code).toBe(0)
  },
  LIMIT_MS,
)

it(
  'another copy of the program hands over to the copy that the project has',
  async () => {
    await using project = await createProject()
    const own = project.file('node_modules/lovage/dist/src/cli/main.js')
    await rm(project.file('node_modules/lovage'))
    await mkdir(dirname(own), { recursive: true })
    await writeFile(project.file('node_modules/lovage/package.json'), '{ "type": "module" }')
    await writeFile(
      own,
      `export const runCommand = async (argv) => { console.log('own', ...argv); return 7 }`,
    )

    const result = await project.run(['-A', 'tasks', 'worker'])
    const elsewhere = await project.run(['--workdir', '/', '--version'])

    expect(result).toMatchObject({ code: 7, stdout: 'own -A tasks worker\n' })
    expect(elsewhere.code).toBe(0)
  },
  LIMIT_MS,
)

it(
  'a host program runs commands in its own process',
  async () => {
    await using project = await createProject({
      'host.mjs': `
        import { runCommand } from 'lovage/cli'
        const code = await runCommand(['-A', 'tasks', 'call', 'shop.add', '-a', '[1, 2]', '--json'])
        const wrong = await runCommand(['-A', 'tasks', 'call', 'shop.add', '-a', '[1]'])
        console.log(code, wrong)`,
    })

    const host = await node(project.file('host.mjs'), [], { cwd: project.folder }).exited

    expect(host.code).toBe(0)
    expect(host.stdout.trim().split('\n').at(-1)).toBe('0 2')
  },
  LIMIT_MS,
)

it(
  'what the app holds open does not keep a finished command alive',
  async () => {
    await using project = await createProject({
      'open.ts': `
        import { Lovage } from 'lovage'
        setInterval(() => undefined, 1000)
        export const app = new Lovage('open')`,
    })

    const result = await project.run(['-A', 'open', 'report', '--json'])

    expect(result.code).toBe(0)
  },
  LIMIT_MS,
)

it(
  'a worker whose store is away says so, tries again, and stops on the first signal',
  async () => {
    await using project = await createProject({ blocked: 'a file, no folder' })
    const broker = `sqlite:///${project.file('blocked')}/queue.sqlite`
    await using worker = project.start(['-A', 'tasks', '-b', broker, 'worker', '--log-format', 'text'])
    await worker.waitForLine(/Cannot connect: .*Trying again in [\d.]+ seconds/)
    worker.kill('SIGTERM')
    const patient = await worker.exited
    const hasty = await project.run([
      '-A',
      'tasks',
      '-b',
      broker,
      'worker',
      '--broker-connection-retry-on-startup=no',
    ])

    expect(patient.code).toBe(0)
    expect(hasty.code).toBe(69)
  },
  LIMIT_MS,
)
