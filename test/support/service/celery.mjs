import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../prepare.mjs'
import { findProgram } from '../server-process.mjs'

const requirements = join(root, 'test/interop/python/requirements.txt')
const folder = join(root, '.test-env/celery-5.7')
const stamp = join(folder, '.installed')
const interpreter = join(folder, 'bin/python')

/** Celery 5.7 in a virtual environment of its own; the variable names the interpreter. */
export const celery = {
  name: 'celery',
  variable: 'LOVAGE_TEST_CELERY_PYTHON',
  debian: ['python3-venv'],
  detect: async () =>
    isInstalled() ? undefined : 'no environment in .test-env/celery-5.7; `npm run test:celery` makes it',
  install: async () => installCelery(),
  start: async () => ({ url: interpreter, stop: async () => undefined }),
}

/** Celery 5.2 as Debian 12 packages it; the variable names the interpreter. */
export const celery52 = {
  name: 'celery52',
  variable: 'LOVAGE_TEST_CELERY52_PYTHON',
  debian: ['python3-celery', 'python3-redis'],
  detect: async () => {
    const asked = 'import celery, redis; assert celery.__version__.startswith("5.2.")'
    const done = spawnSync('/usr/bin/python3', ['-c', asked], { encoding: 'utf8' })
    return done.status === 0 ? undefined : 'Debian packages python3-celery 5.2 and python3-redis are missing'
  },
  start: async () => ({ url: '/usr/bin/python3', stop: async () => undefined }),
}

/** Make the environment of {@link celery} from scratch; throws with pip's words when that fails. */
export function installCelery() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const python = findProgram('python3') ?? 'python3'
  run(python, ['-m', 'venv', folder])
  run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
  writeFileSync(stamp, fingerprint())
}

/** A change of the requirements makes the environment anew. */
function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint() && existsSync(interpreter)
}

function fingerprint() {
  return createHash('sha256').update(readFileSync(requirements)).digest('hex')
}

function run(file, args) {
  const done = spawnSync(file, args, { encoding: 'utf8' })
  if (done.status !== 0)
    throw new Error(`${file} ${args.join(' ')} failed:\n${done.stderr}${done.error?.message ?? ''}`)
}

if (process.argv[1] === import.meta.filename) installCelery()
