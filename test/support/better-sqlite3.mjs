/**
 * A copy of the build in which the package better-sqlite3 can be found.
 *
 * It compiles for a minute or two, so that it is no development dependency, and beside libsql it would be the engine
 * that every other test runs on.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const wanted = 'better-sqlite3@12'

/** @returns the folder and how to remove it, or why the package cannot be had. It takes only what the tests leave of the CPU. */
export async function betterSqliteProject() {
  const folder = mkdtempSync(join(tmpdir(), 'lovage-engine-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const args = ['install', wanted, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, errors } = await run('nice', ['-n', '19', 'npm', ...args], folder)
  if (code !== 0) {
    remove()
    return { missing: `npm install ${wanted}: ${errors.trim().split('\n').at(-1)}` }
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

function run(file, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
    child.once('error', (error) => resolve({ code: 1, errors: String(error) }))
    child.once('close', (code) => resolve({ code, errors }))
  })
}
