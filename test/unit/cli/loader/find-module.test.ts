import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { afterEach, beforeEach, expect, it } from '@jest/globals'

import { findModule, likelyModules } from '../../../../src/cli/loader/find-module.js'
import { ConfigError } from '../../../../src/errors/errors.js'
import { tempFolder, type TempFolder } from '../../../support/temp.js'

let folder: TempFolder

beforeEach(async () => {
  folder = await tempFolder('find-module')
})

afterEach(() => folder.remove())

async function files(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(folder.file(name)), { recursive: true })
    await writeFile(folder.file(name), '{}')
  }
}

function found(spec: string): string {
  const { file, exportName } = findModule(spec, folder.path)
  const name = file.slice(folder.path.length + 1)
  return exportName === undefined ? name : `${name} ${exportName}`
}

it.each([
  ['./tasks.ts', 'tasks.ts'],
  ['tasks', 'tasks.ts'],
  ['./tasks', 'tasks.ts'],
  ['tasks:app', 'tasks.ts app'],
  ['tasks.ts:shop.app', 'tasks.ts shop.app'],
  ['shop', 'shop/app.mjs'],
  ['shop/jobs', 'shop/jobs.cjs'],
  ['shop.jobs', 'shop/jobs.cjs'],
  ['shop.jobs:app', 'shop/jobs.cjs app'],
  ['shop.jobs.app', 'shop/jobs.cjs app'],
  ['tasks.app', 'tasks.ts app'],
])('-A %s finds %s', async (spec, expected) => {
  await files('tasks.ts', 'shop/app.mjs', 'shop/jobs.cjs')

  expect(found(spec)).toBe(expected)
})

it('a package is found, also one that only import can load, and its subpaths', async () => {
  await files(
    'node_modules/one/index.js',
    'node_modules/@shop/jobs/dist/main.js',
    'node_modules/@shop/jobs/dist/app.js',
  )
  await writeFile(
    folder.file('node_modules/@shop/jobs/package.json'),
    JSON.stringify({ exports: { '.': { import: './dist/main.js' }, './app': { import: './dist/app.js' } } }),
  )

  expect(found('one')).toBe('node_modules/one/index.js')
  expect(found('@shop/jobs')).toBe('node_modules/@shop/jobs/dist/main.js')
  expect(found('@shop/jobs/app:jobs')).toBe('node_modules/@shop/jobs/dist/app.js jobs')
})

it.each([
  ['./taks.ts', './tasks.ts'],
  ['taks', './tasks.ts'],
  ['./tasks.js', './tasks.ts'],
  ['shpo/jobs', './shop/jobs.cjs'],
])('-A %s suggests %s', async (spec, near) => {
  await files('tasks.ts', 'shop/jobs.cjs')

  expect(() => findModule(spec, folder.path)).toThrow(ConfigError)
  expect(() => findModule(spec, folder.path)).toThrow(`did you mean ${near}?`)
})

it('without a near name the likely files of the folder are named', async () => {
  await files('app.js', 'tasks.ts')

  expect(() => findModule('nothing-like-it', folder.path)).toThrow('this folder has ./app.js, ./tasks.ts')
  expect(likelyModules(folder.path)).toEqual(['./app.js', './tasks.ts'])
})
