import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'
import ts from 'typescript'

import { lovage, node, projectRoot } from '../support/child.js'
import { tempFolder, type TempFolder } from '../support/temp.js'

const example = join(projectRoot, 'docs/example/getting-started')

/** The example as a newcomer has it: a folder with a package.json, two files and lovage. */
async function newcomersFolder(): Promise<TempFolder> {
  const folder = await tempFolder('newcomer')
  await mkdir(folder.file('node_modules'))
  await symlink(projectRoot, folder.file('node_modules', 'lovage'), 'dir')
  await writeFile(folder.file('package.json'), JSON.stringify({ name: 'newcomer', type: 'module' }))
  for (const name of ['tasks', 'main']) {
    await copyFile(join(example, `${name}.ts`), folder.file(`${name}.ts`))
    const source = await readFile(join(example, `${name}.ts`), 'utf8')
    const options = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext }
    await writeFile(
      folder.file(`${name}.js`),
      ts.transpileModule(source, { compilerOptions: options }).outputText,
    )
  }
  return folder
}

describe('the page that gets one started', () => {
  test('leads to a worker in one process that computes for another', async () => {
    await using folder = await newcomersFolder()
    await using worker = lovage(['-A', './tasks.ts', 'worker'], { cwd: folder.path })
    await using main = node(folder.file('main.js'), [], { cwd: folder.path })

    const { code, stdout, stderr } = await main.exited

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^sent [0-9a-f-]{36}\n15\n$/)
    worker.kill('SIGTERM')
    expect((await worker.exited).code).toBe(0)
  }, 60_000)
})
