import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import { projectRoot, run, type ChildExit } from '../support/child.js'
import { packedProject, type PackedProject } from '../support/packed-project.js'

const source = join(projectRoot, 'docs/example/test-runner')
const compiled = join(projectRoot, 'dist/docs/example/test-runner')

/** The last versions that run on the oldest Node that is supported. */
const runners = ['vitest@3.2.4', 'vite@7.1.12', 'mocha@11.7.5']

describe('the sample of a test, run by the runner it is written for', () => {
  let project: PackedProject

  beforeAll(async () => {
    project = await packedProject(runners)
    await copyFile(join(compiled, 'tasks.js'), join(project.path, 'tasks.js'))
  }, 240_000)

  afterAll(async () => {
    await project[Symbol.asyncDispose]()
  })

  /** Run a command of Node in the project. Its end shows that the sample leaves nothing open. */
  function runNode(...args: readonly string[]): Promise<ChildExit> {
    return run(process.execPath, args, { cwd: project.path })
  }

  it("passes with Node's own runner", async () => {
    await copyFile(join(compiled, 'node.test.js'), join(project.path, 'node.test.js'))

    const { code, stdout } = await runNode('--test-reporter=tap', 'node.test.js')

    expect(stdout).toMatch(/# pass 1\n# fail 0/)
    expect(code).toBe(0)
  }, 60_000)

  it('passes with vitest', async () => {
    await copyFile(join(source, 'vitest.test.mjs'), join(project.path, 'vitest.test.mjs'))

    const { code, stdout } = await runNode('node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs')

    expect(stdout).toMatch(/Tests +1 passed \(1\)/)
    expect(code).toBe(0)
  }, 60_000)

  it('passes with mocha', async () => {
    await copyFile(join(source, 'mocha.test.mjs'), join(project.path, 'mocha.test.mjs'))

    const { code, stdout } = await runNode('node_modules/mocha/bin/mocha.js', 'mocha.test.mjs')

    expect(stdout).toMatch(/^ +1 passing/m)
    expect(stdout).not.toContain('failing')
    expect(code).toBe(0)
  }, 60_000)

  it('passes with Jest, without the import from vitest', async () => {
    const sample = await readFile(join(source, 'vitest.test.mjs'), 'utf8')
    await project.write('jest.test.mjs', sample.replace(/^.* from 'vitest'\n/m, ''))
    const jest = join(projectRoot, 'node_modules/jest/bin/jest.js')

    const { code, stderr } = await runNode(
      '--experimental-vm-modules',
      jest,
      `--rootDir=${project.path}`,
      '--testRegex=/jest\\.test\\.mjs$',
      '--moduleFileExtensions=mjs',
      '--moduleFileExtensions=js',
      '--transform={}',
    )

    expect(stderr).toMatch(/Tests: +1 passed, 1 total/)
    expect(code).toBe(0)
  }, 60_000)
})
