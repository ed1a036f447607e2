/** Python programs for tests: a virtual environment for each, in a folder that git ignores. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'
import { findProgram } from './server-process.mjs'

/** The environment `.test-env/<name>` with what a file of requirements lists. */
export function pythonEnvironment(name, requirements) {
  const folder = join(root, '.test-env', name)
  const stamp = join(folder, '.installed')
  const interpreter = join(folder, 'bin/python')
  // A change of the requirements makes the environment anew.
  const fingerprint = () => createHash('sha256').update(readFileSync(requirements)).digest('hex')
  return {
    interpreter,
    isInstalled: () =>
      existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint() && existsSync(interpreter),
    /** Make it from scratch; throws with pip's words when that fails. */
    install: () => {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder, { recursive: true })
      run(findProgram('python3') ?? 'python3', ['-m', 'venv', folder])
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
      run(interpreter, pip)
      writeFileSync(stamp, fingerprint())
    },
  }
}

function run(file, args) {
  const done = spawnSync(file, args, { encoding: 'utf8' })
  if (done.status !== 0)
    throw new Error(`${file} ${args.join(' ')} failed:\n${done.stderr}${done.error?.message ?? ''}`)
}
