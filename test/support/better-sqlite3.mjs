/**
 * A copy of the build in which the package better-sqlite3 can be found.
 *
 * It compiles for a minute or two, so that it is no development dependency, and beside libsql it would be the engine
 * that every other test runs on.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const wanted = 'better-sqlite3@12'

/** @returns the folder and how to remove it, or why the package cannot be had. */
export function betterSqliteProject() {
  const folder = mkdtempSync(join(tmpdir(), 'lovage-engine-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const args = ['install', wanted, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const done = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) {
    remove()
    return { missing: `npm install ${wanted}: ${done.stderr.trim().split('\n').at(-1)}` }
  }
  const modules = join(folder, 'node_modules')
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!existsSync(join(modules, name))) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  const setup = 'test/support/async-storages.mjs'
  for (const name of ['dist', 'package.json', 'jest.config.mjs', 'test/vectors', setup]) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  return { folder, remove }
}
