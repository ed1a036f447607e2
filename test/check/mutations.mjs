/**
 * Breaks one promise of the docs at a time, in the built output of a copy of this checkout, and runs the test files that
 * should notice. Run by hand; it is no part of `npm test`.
 *
 * ```console
 * $ npm run build && node test/check/mutations.mjs [--check] [words]
 * ```
 *
 * `--check` only looks whether each text to replace stands once in the file that is named, and whether the tests exist.
 * Words choose mutations whose part or promise has one of them. What the tests need of servers is in the environment, as
 * `npm test` sets it (`LOVAGE_TEST_REDIS_URL` and so on). The table is in `mutations/`. A test file that fails without any
 * mutation proves nothing: each runs once unchanged before.
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { coreMutations } from './mutations/core.mjs'
import { edgeMutations } from './mutations/edges.mjs'
import { storeMutations } from './mutations/stores.mjs'
import { workerMutations } from './mutations/worker.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const LONGEST_MS = 5 * 60_000
const usableTests = new Map()
const LEFT_OUT = new Set(['node_modules', '.git', '.test-env', 'coverage'])

const isCheck = process.argv.includes('--check')
const words = process.argv.slice(2).filter((word) => word !== '--check')
const all = [...coreMutations, ...workerMutations, ...edgeMutations, ...storeMutations]
const chosen = all.filter(
  ({ part, promise }) => words.length === 0 || words.some((word) => `${part} ${promise}`.includes(word)),
)
const copy = isCheck ? root : mkdtempSync(join(tmpdir(), 'lovage-mutations-'))
try {
  process.exitCode = isCheck ? report({ stale: chosen.filter(isStale) }) : await main()
} finally {
  if (!isCheck) rmSync(copy, { recursive: true, force: true })
}

async function main() {
  cpSync(root, copy, { recursive: true, filter: (path) => !LEFT_OUT.has(relative(root, path)) })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir')
  const results = { killed: [], survived: [], stale: [], 'not run': [] }
  for (const mutation of chosen) {
    const result = await outcomeOf(mutation)
    results[result].push(mutation)
    console.log(`${result.padEnd(9)} ${mutation.part}: ${mutation.promise}`)
  }
  return report(results)
}

/** Whether the file or a test is gone, or the text does not stand exactly once. */
function isStale({ file, from, tests }) {
  const path = join(copy, 'dist', file)
  if (![path, ...tests.map(testFile)].every((one) => existsSync(one))) return true
  return readFileSync(path, 'utf8').split(from).length !== 2
}

function testFile(test) {
  return join(copy, 'dist/test', `${test}.test.js`)
}

async function outcomeOf(mutation) {
  if (isStale(mutation)) return 'stale'
  const { file, from, to, tests, only } = mutation
  const path = join(copy, 'dist', file)
  const source = readFileSync(path, 'utf8')
  const usable = []
  for (const test of tests) if (await isUsable(test, only)) usable.push(test)
  if (usable.length === 0) return 'not run'
  writeFileSync(
    path,
    source.replace(from, () => to),
  )
  try {
    const { code } = await jest(usable, only)
    return code === 0 ? 'survived' : 'killed'
  } finally {
    writeFileSync(path, source)
  }
}

/** Whether a test file passes as it is, and something of it runs here. Asked once. */
async function isUsable(test, only = '') {
  const key = `${test} ${only}`
  if (!usableTests.has(key)) {
    const { code, passed } = await jest([test], only)
    usableTests.set(key, code === 0 && passed > 0)
    if (code !== 0) console.log(`unusable  ${test}: it fails as it is`)
    else if (passed === 0) console.log(`unusable  ${test}: nothing of it runs here`)
  }
  return usableTests.get(key)
}

/** Run test files of the copy; one that does not end in time has failed. */
function jest(tests, only = '') {
  const filter = only === '' ? [] : ['--testNamePattern', only]
  const args = [
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    '--bail',
    ...filter,
    '--runTestsByPath',
    ...tests.map(testFile),
  ]
  const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', ...args], {
    cwd: copy,
    detached: true,
    env: { ...process.env, NODE_OPTIONS: undefined, CI: undefined },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return new Promise((resolve) => {
    let text = ''
    child.stderr.on('data', (data) => (text += String(data)))
    const timer = setTimeout(() => endGroup(child.pid), LONGEST_MS)
    child.on('close', (code) => {
      clearTimeout(timer)
      endGroup(child.pid)
      resolve({ code, passed: Number(/^Tests:.* (\d+) passed/m.exec(text)?.[1] ?? 0) })
    })
  })
}

/** The children that a broken test has left behind end with it. */
function endGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Nothing of it is left.
  }
}

function report(results) {
  const counts = Object.entries(results).map(([name, { length }]) => `${length} ${name}`)
  console.log(`\n${chosen.length} mutations: ${counts.join(', ')}`)
  for (const name of ['survived', 'stale', 'not run'])
    for (const { part, promise, file } of results[name] ?? [])
      console.log(`${name}: ${part}: ${promise} (${file})`)
  return (results.survived?.length ?? 0) + results.stale.length === 0 ? 0 : 1
}
