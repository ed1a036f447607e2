import { expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERROR_CODES } from '../../../src/errors/codes.js'
import * as errors from '../../../src/errors/errors.js'

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

function projectRoot(): string {
  let folder = dist
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

it('the types and reference pages that are generated are fresh', () => {
  const script = join(projectRoot(), 'test', 'check', 'generate-reference.mjs')

  const { status, stderr } = spawnSync(process.execPath, [script, '--check', '--dist', dist], {
    encoding: 'utf8',
  })

  expect([status, stderr]).toEqual([0, ''])
})

it('every error code has a class, and every class a documented code', () => {
  const classes = Object.values(errors).filter((value) => typeof value === 'function')
  const page = readFileSync(join(projectRoot(), 'docs', 'reference', 'errors.md'), 'utf8')

  for (const code of Object.keys(ERROR_CODES)) expect(page).toContain(`\`${code}\``)
  for (const { name } of classes) expect(page).toContain(`\`${name}\``)
  expect(page).not.toContain('`undefined`')
  expect(page).not.toContain('Codes without a class')
})
