import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../prepare.mjs'
import { pythonEnvironment } from '../python-environment.mjs'

const environment = pythonEnvironment('celery-5.7', join(root, 'test/interop/python/requirements.txt'))

/** Celery 5.7 in a virtual environment of its own; the variable names the interpreter. */
export const celery = {
  name: 'celery',
  variable: 'LOVAGE_TEST_CELERY_PYTHON',
  debian: ['python3-venv'],
  detect: async () =>
    environment.isInstalled()
      ? undefined
      : 'no environment in .test-env/celery-5.7; `npm run test:celery` makes it',
  install: async () => environment.install(),
  start: async () => ({ url: environment.interpreter, stop: async () => undefined }),
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

if (process.argv[1] === import.meta.filename) environment.install()
