import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { describe, expect, test } from '@jest/globals'

import { node, projectRoot } from '../support/child.js'
import { tempFolder } from '../support/temp.js'

const source = join(projectRoot, 'docs/example/test-runner')
const compiled = join(projectRoot, 'dist/docs/example/test-runner')
const jestsExpect = pathToFileURL(createRequire(import.meta.url).resolve('expect')).href

/** What vitest and mocha offer to the samples, by Node's own runner: the real ones are not installed for a page. */
const vitest = `
import jest from ${JSON.stringify(jestsExpect)}
export { test, before as beforeAll, after as afterAll } from 'node:test'
export const expect = jest.expect ?? jest
`
const mocha = `
import * as runner from 'node:test'
const { describe, it, before, after } = runner
Object.assign(globalThis, { describe, it, before, after })
`

describe('the sample of a test', () => {
  test.each([
    ['node.test.js', compiled],
    ['vitest.test.mjs', source],
    ['mocha.test.mjs', source],
  ])(
    '%s passes and lets its process end',
    async (name, from) => {
      await using folder = await tempFolder('runner')
      await mkdir(folder.file('node_modules', 'vitest'), { recursive: true })
      await symlink(projectRoot, folder.file('node_modules', 'lovage'), 'dir')
      await writeFile(folder.file('package.json'), '{ "type": "module" }')
      await writeFile(folder.file('node_modules', 'vitest', 'index.mjs'), vitest)
      await writeFile(folder.file('node_modules', 'vitest', 'package.json'), '{ "exports": "./index.mjs" }')
      await writeFile(folder.file('mocha-globals.mjs'), mocha)
      await copyFile(join(from, name), folder.file(name))
      await copyFile(join(compiled, 'tasks.js'), folder.file('tasks.js'))
      await using child = node('--test-reporter=tap', ['--import', './mocha-globals.mjs', name], {
        cwd: folder.path,
      })

      const { code, stdout } = await child.exited

      expect(stdout).toMatch(/# pass 1\n# fail 0/)
      expect(code).toBe(0)
    },
    30_000,
  )
})
