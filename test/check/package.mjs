/**
 * Judges the packed package with publint and attw, as an npm user would get it.
 *
 * `npm run build` comes first.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lovage-pack-'))

try {
  process.exitCode = check() ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function check() {
  if (!run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder])) return false
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'missing.tgz')
  const bin = (name) => join(root, 'node_modules/.bin', name)
  const published = run(bin('publint'), [tarball, '--strict'])
  // ESM only: require() of an ES module works from the oldest Node that is supported.
  const typed = run(bin('attw'), [tarball, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm'])
  return published && typed
}

function run(file, args) {
  return spawnSync(file, args, { cwd: root, stdio: 'inherit' }).status === 0
}
