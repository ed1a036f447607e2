import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { expect, test } from '@jest/globals'

import { OPTIONS } from '../../../src/config/option-table.js'
import type { Option } from '../../../src/config/option/option.js'
import { resolvedName } from '../../../src/config/resolved-name.js'
import { projectRoot } from '../../support/child.js'

/** Where an option is used: everything but the table, its checks and what is printed of it. */
const sources = ['src', 'brokers', 'backends']
  .flatMap((folder) => readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => {
    const path = relative(projectRoot, file)
    return path === 'src/config/backend-choice.ts' || !/^src\/(config\/|cli\/inactive-settings)/.test(path)
  })
const words = new Set(sources.flatMap((file) => readFileSync(file, 'utf8').match(/\w+/g) ?? []))

function isRead(name: string, option: Option): boolean {
  // The zone that is used follows from it.
  if (name === 'enableUtc') return true
  const stands = [...OPTIONS].some(([other, { sameAs }]) => sameAs === name && actsOf(other))
  return stands || words.has(resolvedName(name, option))
}

function actsOf(name: string): boolean {
  return OPTIONS.get(name)?.acts !== false
}

test('the reference says of each option truly whether anything acts on it', () => {
  const wrong = [...OPTIONS].filter(([name, option]) => isRead(name, option) !== actsOf(name))

  expect(wrong.map(([name, option]) => `${name}: acts is ${String(option.acts ?? true)}`)).toEqual([])
})
