import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'

import { projectRoot } from '../support/child.js'
import { packInto } from '../support/packed-project.js'
import { tempFolder, type TempFolder } from '../support/temp.js'
import { typePage } from '../support/typed-page.js'

const program = ['npm init -y', 'npm install lovage tsx', 'tasks.ts', 'main.ts', 'npx tsx main.ts']

/** What a visitor sees first of the README: everything above its second heading. */
async function firstScreen(): Promise<string> {
  const [screen = ''] = (await readFile(join(projectRoot, 'README.md'), 'utf8')).split(/^## /m)
  return screen
}

describe('typed into an empty folder, command by command', () => {
  let packed: TempFolder
  let tarball = ''

  beforeAll(async () => {
    packed = await tempFolder('packed')
    const { filename } = await packInto(packed.path)
    tarball = packed.file(filename)
  }, 60_000)

  afterAll(async () => {
    await packed.remove()
  })

  it.each(['commonjs', 'module'] as const)(
    'the first screen of the README gets its answer from a worker, in a package of type %s',
    async (type) => {
      await using folder = await tempFolder('reader')

      const done = await typePage(await firstScreen(), { folder: folder.path, tarball, type })

      expect(done).toEqual(expect.arrayContaining([...program, 'npx lovage -A ./tasks.ts worker']))
    },
    240_000,
  )

  it('getting started does what it shows', async () => {
    await using folder = await tempFolder('reader')
    const page = await readFile(join(projectRoot, 'docs/getting-started.md'), 'utf8')

    const done = await typePage(page, { folder: folder.path, tarball, type: 'commonjs' })

    expect(done).toEqual(expect.arrayContaining([...program, 'npx lovage -A ./tasks.ts worker']))
    expect(done.at(-1)).toMatch(/^npx lovage -A \.\/tasks\.ts result /)
  }, 240_000)
})
