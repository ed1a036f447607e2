/**
 * Brings a clone to the point where something can be run: installed packages, a fresh build.
 *
 * Needs nothing but Node, so that `npm test` and `npm run demo` are the first command of a newcomer.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const oldestNode = [20, 19]
const sourceFolders = ['src', 'brokers', 'backends', 'test', 'bench', 'docs/example']
const stamp = join(root, 'dist/.built')

/** Install and build where needed. Exits the process when a step fails. */
export function prepare(say = console.log) {
  checkNode()
  if (!isInstalled()) {
    say('Installing packages (npm ci) ...')
    if (!run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])) fail('npm ci failed.')
  }
  if (!isBuilt()) {
    say('Building (tsc) ...')
    if (!build()) fail('The build failed.')
  }
}

/** Install where needed; false when that fails. */
export function install(say = console.log) {
  checkNode()
  if (isInstalled()) return true
  say('Installing packages (npm ci) ...')
  return run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

/** Compile everything; false on a type error. What compiles is written either way. */
export function build() {
  removeOrphans()
  // The examples see the package as its users do: through the declarations of the first build.
  const ok = ['tsconfig.json', 'docs/example/tsconfig.json']
    .map((project) => run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]))
    .every(Boolean)
  if (ok) writeFileSync(stamp, fingerprint())
  else rmSync(stamp, { force: true })
  return ok
}

/** Whether the last build succeeded on the sources as they are now. */
export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint()
}

/** Whether every package of the lock file is installed in its version; optional ones may be missing. */
export function isInstalled() {
  const installed = readPackages(join(root, 'node_modules/.package-lock.json'))
  const locked = readPackages(join(root, 'package-lock.json'))
  if (installed === undefined || locked === undefined) return false
  return Object.entries(locked).every(
    ([path, entry]) => path === '' || entry.optional === true || installed[path]?.version === entry.version,
  )
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const file of [
    ...inputs(),
    join(root, 'tsconfig.json'),
    join(root, 'docs/example/tsconfig.json'),
    join(root, 'package-lock.json'),
  ]) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${relative(root, file)} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

function inputs() {
  return sourceFolders.flatMap((folder) => files(join(root, folder)).filter((file) => file.endsWith('.ts')))
}

/** Delete what a source that is gone has left in `dist`: Jest would still run it. */
function removeOrphans() {
  for (const folder of sourceFolders) {
    for (const file of files(join(root, 'dist', folder))) {
      const source = relative(join(root, 'dist'), file).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
      if (source.endsWith('.ts') && !existsSync(join(root, source))) rmSync(file)
    }
  }
}

function files(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes('/node_modules/'))
    .sort()
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return
  fail(`Lovage needs Node ${oldestNode.join('.')} or later; this is ${process.version}.`)
}

function run(file, args) {
  return spawnSync(file, args, { cwd: root, stdio: 'inherit' }).status === 0
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepare()
