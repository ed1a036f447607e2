import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../prepare.mjs'
import { answers, freePort, startProcess } from '../server-process.mjs'

const folder = join(root, '.test-env/fauxqs')
const own = join(root, 'test/support/service/fauxqs')

/** fauxqs, another stand-in for Amazon SQS: a second opinion. */
export const fauxqs = {
  name: 'fauxqs',
  variable: 'LOVAGE_TEST_FAUXQS_URL',
  detect: async () =>
    isInstalled()
      ? undefined
      : 'no packages in .test-env/fauxqs; `node test/support/service/fauxqs.mjs` brings them',
  install: async () => install(),
  start: async (place) => {
    const port = await freePort()
    const { stop } = await startProcess(
      process.execPath,
      [join(own, 'start.mjs'), join(folder, 'node_modules/fauxqs/dist/app.js'), `${port}`],
      { folder: place, ready: () => answers(port), timeoutMs: 60_000 },
    )
    return { url: `sqs://x:x@127.0.0.1:${port}?region=us-east-1`, stop }
  },
}

function isInstalled() {
  const installed = join(folder, 'node_modules/fauxqs/package.json')
  if (!existsSync(installed)) return false
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'))
  return JSON.parse(readFileSync(installed, 'utf8')).version === dependencies.fauxqs
}

function install() {
  mkdirSync(folder, { recursive: true })
  copyFileSync(join(own, 'package.json'), join(folder, 'package.json'))
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts']
  const done = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`npm install failed:\n${done.stderr}${done.error?.message ?? ''}`)
}

if (process.argv[1] === import.meta.filename) install()
