import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { projectRoot } from '../support/child.js'

const page = readFileSync(join(projectRoot, 'docs/internals/architecture.md'), 'utf8')
const named = [...page.matchAll(/`([\w./-]+\.ts): ([\w.#]+)`/g)].map(([, file = '', name = '']) => ({
  file,
  name,
}))
const folders = [...page.matchAll(/^\| `([\w/-]+)`/gm)].map(([, folder = '']) => folder)

it.each(named.map(({ file, name }) => [`${file}: ${name}`, file, name] as const))(
  'the architecture page names what exists: %s',
  (_, file, name) => {
    const text = existsSync(join(projectRoot, file)) ? readFileSync(join(projectRoot, file), 'utf8') : ''
    const missing = name.split('.').filter((part) => !isDefined(text, part))

    expect({ file, hasText: text !== '', missing }).toEqual({ file, hasText: true, missing: [] })
  },
)

it('the architecture page names every folder of src', () => {
  expect(named.length).toBeGreaterThan(25)
  expect(folders.filter((folder) => !existsSync(join(projectRoot, folder)))).toEqual([])
})

/** A declaration or a method of this name stands in the text. */
function isDefined(text: string, name: string): boolean {
  const escaped = name.replace('#', '\\#')
  const declared = new RegExp(`\\b(function|class|interface|const|type) ${escaped}\\b`)
  const method = new RegExp(`^  (static )?(async )?(get )?${escaped}[(<:]`, 'm')
  return declared.test(text) || method.test(text)
}
