import { PassThrough } from 'node:stream'

import { expect, it } from '@jest/globals'

import { runCommand } from '../../../src/cli/main.js'
import { COMMAND_SUMMARIES } from '../../../src/cli/command/summaries.js'
import { tempFolder } from '../../support/temp.js'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(argv: readonly string[], cwd: string): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  const code = await runCommand(argv, {
    stdin: new PassThrough(),
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    env: {},
    cwd,
  })
  return { code, ...written }
}

it('a host runs a command and gets its exit code; its own working folder stays', async () => {
  await using folder = await tempFolder('main')
  const before = process.cwd()

  const ran = await run(['-b', 'memory://', 'purge', '-f', '-Q', 'a,b'], folder.path)

  expect(ran).toEqual({ code: 0, stdout: 'Purged 0 messages from a, b.\n', stderr: '' })
  expect(process.cwd()).toBe(before)
})

it('nothing is thrown: an error is a line and a code', async () => {
  await using folder = await tempFolder('main')

  const unknown = await run(['wroker'], folder.path)
  const missing = await run(['-A', 'nowhere', 'report'], folder.path)

  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('Did you mean worker?')
  expect(missing.code).toBe(78)
  expect(missing.stderr).toContain('No module nowhere')
})

it('Celery’s own loaders are accepted, and a class of Python’s is refused', async () => {
  await using folder = await tempFolder('main')
  const purge = ['-b', 'memory://', 'purge', '-f', '-Q', 'a']

  const before = await run(['--loader', 'default', ...purge], folder.path)
  const after = await run([...purge, '--loader', 'app'], folder.path)
  const own = await run(['--loader', 'proj.loaders.Own', ...purge], folder.path)

  expect([before.code, after.code]).toEqual([0, 0])
  expect(own.code).toBe(2)
  expect(own.stderr).toContain('--loader must be app or default')
})

it('without a command the help is printed', async () => {
  await using folder = await tempFolder('main')

  const ran = await run([], folder.path)

  expect(ran.code).toBe(0)
  expect(ran.stdout).toContain('Usage: lovage')
})

it.each(Object.entries(COMMAND_SUMMARIES))(
  'the list of commands says of %s what it says itself',
  async (name, summary) => {
    await using folder = await tempFolder('main')

    const all = await run(['--help'], folder.path)
    const one = await run([name, '--help'], folder.path)
    const asked = await run(['help', name], folder.path)

    expect(all.stdout).toContain(`  ${name} ${summary.usage} `)
    expect(one.stdout.replace(/\s+/g, ' ')).toContain(
      `Usage: lovage ${name} ${summary.usage} ${summary.description} `,
    )
    expect(asked.stdout).toBe(one.stdout)
  },
)

it('--quiet leaves out notes, --workdir moves the working folder', async () => {
  await using folder = await tempFolder('main')
  await using other = await tempFolder('main-other')

  const ran = await run(['--workdir', other.path, '-q', '-b', 'memory://', 'dlq', 'list'], folder.path)

  expect(ran).toEqual({ code: 0, stdout: '', stderr: '' })
})
