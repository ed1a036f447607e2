import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'

import { callerFolder } from '../../../src/app/caller.js'
import { embeddedUrl } from '../../../src/app/stores.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { tempFolder } from '../../support/temp.js'

it.each(['plain', '100% sure?', 'a#b', 'é x', 'a%20b'])(
  'the embedded file of a project in the folder "%s" is where it says',
  async (name) => {
    await using folder = await tempFolder('embedded')
    const project = join(folder.path, name)
    await mkdir(join(project, 'src'), { recursive: true })
    await writeFile(join(project, 'package.json'), '{}')

    const url = parseConnectionUrl(embeddedUrl(join(project, 'src')))

    expect(url.path).toBe(join(project, '.lovage', 'queue.sqlite'))
    expect(url.query).toEqual({})
  },
)

it('the folder of a caller is that of its file', () => {
  expect(callerFolder('file:///a/b%20c/tasks.js:3:7')).toBe('/a/b c')
  expect(callerFolder('/a/tasks.js?v=1:3:7')).toBe('/a')
  expect(callerFolder(undefined)).toBe(process.cwd())
})
