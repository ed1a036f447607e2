import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, it } from '@jest/globals'

import { lovage, node, projectRoot } from '../support/child.js'
import { tempFolder } from '../support/temp.js'

const checker = join(projectRoot, 'test/docs/include-code.mjs')
const example = '// #region one\nconst one = 1\n// #endregion\n'
const fence = '```'

/** What the check says of a page that shows `docs/example/numbers.ts`. */
async function said(page: string, source = example): Promise<string> {
  await using folder = await tempFolder('pages')
  await mkdir(folder.file('docs/example'), { recursive: true })
  await mkdir(folder.file('docs/guide'), { recursive: true })
  await writeFile(folder.file('docs/example/numbers.ts'), source)
  await writeFile(folder.file('docs/guide/numbers.md'), page)
  await using check = node(checker, [folder.path])
  const { code, stderr } = await check.exited
  expect(code).toBe(stderr === '' ? 0 : 1)
  return stderr
}

const marker = '<!-- code: docs/example/numbers.ts#one -->'
const shown = `${marker}\n\n${fence}ts\nconst one = 1\n${fence}\n`

describe('the pages', () => {
  it('show the code of the examples as it is, and link to what exists', async () => {
    await using check = node(checker)

    const { code, stderr } = await check.exited

    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('have an ini file that every command takes', async () => {
    await using folder = await tempFolder('ini')
    for (const name of ['development.ini', 'base.ini'])
      await copyFile(join(projectRoot, 'docs/example/settings', name), folder.file(name))
    await mkdir(folder.file('data'))
    await mkdir(folder.file('node_modules'))
    await symlink(projectRoot, folder.file('node_modules/lovage'), 'dir')
    await writeFile(folder.file('package.json'), '{}')
    await writeFile(
      folder.file('tasks.ts'),
      "import { Lovage } from 'lovage'\nexport const app = new Lovage('shop')\n",
    )
    await writeFile(
      folder.file('more-tasks.ts'),
      "import { app } from './tasks.js'\napp.task('shop.sweep', () => 1)\n",
    )
    const options = { cwd: folder.path }
    await using report = lovage(['report', './development.ini', '--json'], options)
    await using purge = lovage(['purge', './development.ini', '--force'], options)

    const [reported, purged] = [await report.exited, await purge.exited]

    expect(JSON.parse(reported.stdout)).toMatchObject({
      app: { tasks: 'shop.sweep' },
      settings: {
        brokerUrl: `sqlite:///${folder.file('data/queue.sqlite')}`,
        resultExpires: 3600,
        workerConcurrency: 4,
        brokerTransportOptions: { pollInterval: 2 },
        beatSchedule: { sweep: { task: 'shop.sweep', schedule: { seconds: 30 } } },
      },
    })
    expect(purged).toMatchObject({ code: 0 })
  })
})

describe('the check of the pages', () => {
  it('passes a page that shows its example', async () => {
    expect(await said(shown)).toBe('')
  })

  it('names a marker without a block, also where another block follows', async () => {
    expect(await said(`${marker}\n\ntext\n\n${shown}`)).toContain(`no code below ${marker}`)
    expect(await said(marker)).toContain(`no code below ${marker}`)
  })

  it('names a block that is not the example', async () => {
    expect(await said(shown.replace('one = 1', 'one = 2'))).toContain('code is stale')
  })

  it.each(['ts', 'js', 'mjs', 'json', 'ini', ''])(
    'names a block of "%s" without an example',
    async (language) => {
      const bare = `${shown}\n${fence}${language}\nanything\n${fence}\n`

      expect(await said(bare)).toContain('code without an example or a reason')
      expect(
        await said(
          bare.replace(`${fence}${language}\nany`, `<!-- no example: why -->\n\n${fence}${language}\nany`),
        ),
      ).toBe('')
    },
  )

  it('leaves what a terminal shows', async () => {
    expect(await said(`${shown}\n${fence}console\n$ ls\n${fence}\n`)).toBe('')
  })

  it('names a region that no page shows', async () => {
    const more = `${example}// #region two\nconst two = 2\n// #endregion\n`

    expect(await said(shown, more)).toContain('docs/example/numbers.ts: no page shows the region "two"')
  })
})
