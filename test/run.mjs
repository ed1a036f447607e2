/**
 * `npm test`: installs and builds where needed, starts the servers it can, runs every part, and says what ran, what
 * was skipped and why, and what cannot be proven here.
 *
 * Arguments choose: names of parts (`unit`), and pieces of test file paths (`sqlite`, `unit/util`). `--full` lets the
 * fault tests run their long rounds, which take hours.
 * With CI=true missing servers are installed first, and a skip is a failure.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build, install, isBuilt, root } from './support/prepare.mjs'
import { services, startServices } from './support/services.mjs'
import { betterSqliteProject } from './support/better-sqlite3.mjs'
import { runJest } from './support/jest-run.mjs'

const ci = process.env.CI === 'true'
const minute = 60_000

/** The parts that share one run of Jest, in this order: a long file of one is no longer waited for by itself. */
const jestRuns = [
  ['unit'],
  ['conformance'],
  ['integration'],
  ['interop'],
  ['fault'],
  ['e2e', 'docs', 'package'],
]

/** The one part that needs no server: it runs while they are installed and started. */
const serverless = 'unit'

/** Every other part waits for servers, processes and time more than it works: more of its files at once than cores. */
const atOnceOf = (part) => (part === serverless ? 2 : 4)

/** Parts that kill and break: a file that fails there has a second try, by itself. The report counts and names them. */
const secondTryOf = new Set(['interop', 'fault'])

/** What runs again on Node 24, where SQLite and zstd come from Node itself. */
const againOnNode24 = [
  { part: 'unit', words: ['message/compression', 'message/recorded'] },
  { part: 'conformance', words: ['sqlite'] },
  { part: 'e2e', words: [] },
  { part: 'package', words: [] },
]

/** Words beside those: the compiler's part, and SQLite on other engines. */
const special = ['types', 'better-sqlite3', 'node24']

const rows = []
const full = '--full'
if (process.argv.includes(full)) process.env.LOVAGE_TEST_FULL = 'true'
const partTimeoutMs = (process.env.LOVAGE_TEST_FULL === 'true' ? 300 : 20) * minute
process.exitCode = await main(process.argv.slice(2).filter((word) => word !== full))

async function main(words) {
  const started = performance.now()
  if (!install()) return 1
  const choice = choose(words)
  runTypes()
  const engine = choice.engines ? betterSqliteProject() : undefined
  const starting = startServices(servicesFor(choice), { ci })
  const runs = jestRuns.map((parts) => parts.filter((part) => choice.parts.includes(part)))
  const selected = (parts) => parts.map((part) => ({ part, words: choice.words }))
  const [first = [], ...others] = runs
  await runParts({ parts: selected(first), environment: {}, node: process.execPath })
  const { environment, report, stop } = await starting
  try {
    for (const parts of others)
      await runParts({ parts: selected(parts), environment, node: process.execPath })
    if (engine !== undefined) await runOnBetterSqlite(await engine, environment)
    if (choice.node24) await runOnNode24(environment)
  } finally {
    await stop()
  }
  // A word that fits no test would look like success.
  if (rows.length === 1 && words.length > 0 && !words.includes('types')) {
    rows.push({ ...noTests('(none)', ''), failed: 1, problems: [`no test file fits: ${words.join(' ')}`] })
  }
  return printReport(report, performance.now() - started)
}

function choose(words) {
  const jestParts = jestRuns.flat()
  const parts = jestParts.filter((part) => words.includes(part))
  const isSpecial = special.some((word) => words.includes(word))
  return {
    parts: parts.length === 0 && !isSpecial ? jestParts : parts,
    words: words.filter((word) => ![...jestParts, ...special].includes(word)),
    // It compiles for minutes: by itself only where everything has to run.
    engines: (ci && words.length === 0) || words.includes('better-sqlite3'),
    node24: words.length === 0 || words.includes('node24'),
  }
}

function servicesFor({ words }) {
  const named = services.filter((service) => words.includes(service.name))
  return named.length === 0 ? services : named
}

/** The build is one test of all types: what test/types must and must not compile fails it. A good one is not repeated. */
function runTypes() {
  const started = performance.now()
  const ok = isBuilt() || build()
  rows.push({
    part: 'types',
    node: '',
    passed: ok ? 1 : 0,
    failed: ok ? 0 : 1,
    skipped: [],
    problems: ok ? [] : ['tsc found errors (above)'],
    ms: performance.now() - started,
  })
}

/** Run parts, each with the words that choose its files, in one run of Jest. */
async function runParts({ parts, environment, node, label = `Node ${process.versions.node}` }) {
  const there = parts.filter(({ part, words }) => testFiles(part, words).length > 0)
  if (there.length === 0) return
  const name = there.map(({ part }) => part).join(', ')
  process.stderr.write(`\n── ${name} (${label})\n`)
  const started = performance.now()
  // Patterns read better than many paths.
  const selection = there.some(({ words }) => words.length > 0)
    ? ['--runTestsByPath', ...there.flatMap(({ part, words }) => testFiles(part, words))]
    : ['--testPathPatterns', ...there.map(({ part }) => `dist/test/${part}/`)]
  const [{ part }] = there
  const how = { atOnce: atOnceOf(part), secondTry: secondTryOf.has(part), timeoutMs: partTimeoutMs }
  const summary = await runJest({ node, selection, environment, ...how })
  rows.push({ part: name, node: label, ...summary, ms: performance.now() - started })
}

/** The compiled test files of a part; of several words each brings the files whose path holds it. */
function testFiles(part, words) {
  const folder = join(root, 'dist/test', part)
  if (!existsSync(folder)) return []
  const wanted = words.map((word) => pathWithin(part, word))
  return listFiles(folder)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => wanted.length === 0 || wanted.some((word) => relative(folder, file).includes(word)))
}

/** `test/unit/util`, `unit/util` and `util` mean the same within the part `unit`. */
function pathWithin(part, path) {
  return path
    .replace(/^(dist\/)?test\//, '')
    .replace(new RegExp(`^${part}/`), '')
    .replace(/\.ts$/, '')
}

async function runOnBetterSqlite(project, environment) {
  const started = performance.now()
  const label = 'better-sqlite3'
  if (project.missing !== undefined) {
    rows.push({ ...noTests('conformance', label), skipped: [project.missing] })
    return
  }
  try {
    process.stderr.write(`\n── conformance (${label})\n`)
    const selection = ['--testNamePattern', label, '--testPathPatterns', 'conformance/subject/sqlite']
    const options = { node: process.execPath, selection, environment, timeoutMs: 10 * minute }
    const summary = await runJest({ ...options, folder: project.folder })
    // Where the package does not load, no name fits and Jest is content.
    if (summary.passed + summary.failed === 0) {
      summary.failed = 1
      summary.problems.push(`no test ran on ${label}`)
    }
    rows.push({ part: 'conformance', node: label, ...summary, ms: performance.now() - started })
  } finally {
    project.remove()
  }
}

function noTests(part, node) {
  return { part, node, passed: 0, failed: 0, skipped: [], problems: [], ms: 0 }
}

async function runOnNode24(environment) {
  if (Number(process.versions.node.split('.')[0]) >= 24) return
  const { node, version, missing } = findNode24()
  if (node !== undefined)
    await runParts({ parts: againOnNode24, environment, node, label: `Node ${version}` })
  else for (const { part } of againOnNode24) rows.push({ ...noTests(part, 'Node 24'), skipped: [missing] })
}

/** Node 24: the binary that LOVAGE_TEST_NODE24 names, else the one that the registry has. */
function findNode24() {
  const asked = ['-p', 'process.execPath + " " + process.versions.node']
  const given = process.env.LOVAGE_TEST_NODE24
  const [file, args] = given ? [given, asked] : ['npx', ['-y', '-p', 'node@24', 'node', ...asked]]
  const done = spawnSync(file, args, { cwd: root, encoding: 'utf8', timeout: 5 * minute })
  const [node, version] = (done.stdout ?? '').trim().split(' ')
  if (done.status === 0 && version?.startsWith('24.')) return { node, version }
  return {
    missing: `Node 24 is not to be had: ${(done.stderr ?? String(done.error)).trim().split('\n').at(-1)}`,
  }
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

function printReport(serviceReport, ms) {
  const say = (line = '') => process.stdout.write(`${line}\n`)
  const minutes = (value) => (value / minute).toFixed(2)
  say()
  say(
    `${'part'.padEnd(36)}${'on'.padEnd(16)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'skipped'.padStart(9)}${'minutes'.padStart(9)}`,
  )
  for (const row of rows) {
    const counts = [
      String(row.passed).padStart(8),
      String(row.failed).padStart(8),
      String(row.skipped.length).padStart(9),
    ]
    say(`${row.part.padEnd(36)}${row.node.padEnd(16)}${counts.join('')}${minutes(row.ms).padStart(9)}`)
  }
  say(`${'all'.padEnd(36)}${''.padEnd(16)}${''.padStart(25)}${minutes(ms).padStart(9)}`)
  for (const service of serviceReport) {
    say(
      `${service.name}: ${service.missing === undefined ? service.origin : `skipped, ${service.missing}`} (${service.variable})`,
    )
  }
  const missing = serviceReport
    .filter((service) => service.missing !== undefined)
    .map((service) => service.name)
  const skipped = [...missing, ...rows.flatMap((row) => row.skipped.map((name) => `${row.part}: ${name}`))]
  if (skipped.length > 0) say(`\nSkipped${ci ? ' (a failure, as CI=true)' : ''}:`)
  for (const name of skipped) say(`  ${name}`)
  const unsteady = rows.flatMap(({ part, unsteady = [] }) => unsteady.map((name) => `${part}: ${name}`))
  say(`\nFailed at first, passed at the second try (by itself): ${unsteady.length}`)
  for (const name of unsteady) say(`  ${name}`)
  const problems = rows.flatMap((row) => row.problems.map((name) => `${row.part} (${row.node}): ${name}`))
  if (problems.length > 0) say('\nFailed:')
  for (const name of problems) say(`  ${name}`)
  say('\nNot proven by this run (test/unproven.json):')
  const always = JSON.parse(readFileSync(join(root, 'test/unproven.json'), 'utf8'))
  for (const { what, why } of [...always, ...serviceReport.flatMap((service) => service.unproven)])
    say(`  ${what}: ${why}`)
  const passed = rows.reduce((sum, row) => sum + row.passed, 0)
  const failed = rows.reduce((sum, row) => sum + row.failed, 0) + (ci ? skipped.length : 0)
  say(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}
