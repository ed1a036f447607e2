/** Runs Jest on a folder of compiled tests and reads back what happened. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from './prepare.mjs'

/**
 * One run of Jest. With `secondTry` a file that failed runs again, once, by itself: what passes then counts as passed and is
 * named in `unsteady`. More than five such files are no accident.
 *
 * @param {object} options - Those of `runOnce`, and:
 * @param {boolean} [options.secondTry]
 */
export async function runJest({ secondTry = false, ...options }) {
  const first = await runOnce(options)
  const files = [...new Set(first.failures.map(({ file }) => file))]
  if (!secondTry || !first.complete || files.length === 0 || files.length > 5) return first
  process.stderr.write(`\n── once more, by itself: ${files.map((file) => relative(root, file)).join(' ')}\n`)
  const second = await runOnce({ ...options, selection: ['--runTestsByPath', ...files], atOnce: 1 })
  if (!second.complete) return { ...second, passed: first.passed }
  const stillFailing = new Set(second.problems)
  return {
    ...first,
    passed: first.passed - first.passedIn(files) + second.passed,
    failed: second.failed,
    problems: second.problems,
    unsteady: first.problems.filter((name) => !stillFailing.has(name)),
  }
}

/**
 * @param {object} options
 * @param {string} options.node - The Node binary.
 * @param {string[]} options.selection - Jest's arguments that choose test files.
 * @param {string} [options.folder] - Where `dist` is; the repository's root when left out.
 * @param {Record<string, string>} options.environment - Added to the environment.
 * @param {number} [options.atOnce] - How many test files run side by side; 2 when left out.
 * @param {number} options.timeoutMs - After this the whole process group is killed and the run has failed.
 */
async function runOnce({ node, selection, environment, atOnce = 2, timeoutMs, folder: cwd = root }) {
  const folder = await mkdtemp(join(tmpdir(), 'lovage-jest-'))
  const report = join(folder, 'report.json')
  const args = [
    join(root, 'node_modules/jest/bin/jest.js'),
    `--rootDir=${cwd}`,
    '--config=jest.config.mjs',
    `--maxWorkers=${atOnce}`,
    '--verbose=false',
    '--json',
    `--outputFile=${report}`,
    ...selection,
  ]
  try {
    const { code, timedOut } = await runProcess(node, args, { cwd, environment, timeoutMs })
    return summarize(await readReport(report), { code, timedOut, timeoutMs, selection })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function runProcess(file, args, { cwd, environment, timeoutMs }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...environment },
      // Standard output repeats the report file.
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    })
    let timedOut = false
    const killGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    const timer = setTimeout(() => {
      timedOut = true
      killGroup()
    }, timeoutMs)
    const stop = (signal) => {
      killGroup()
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    process.once('SIGINT', stop).once('SIGTERM', stop)
    child.once('close', (code) => {
      clearTimeout(timer)
      process.off('SIGINT', stop).off('SIGTERM', stop)
      resolve({ code, timedOut })
    })
  })
}

async function readReport(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

function summarize(report, { code, timedOut, timeoutMs, selection }) {
  const summary = {
    passed: 0,
    failed: 0,
    skipped: [],
    problems: [],
    unsteady: [],
    failures: [],
    complete: false,
  }
  if (timedOut) summary.problems.push(`killed after ${timeoutMs / 60_000} minutes`)
  if (report === undefined) {
    if (!timedOut) summary.problems.push(`Jest ended with code ${code} and no report`)
    summary.failed += 1
    return summary
  }
  summary.complete = !timedOut
  summary.passed = report.numPassedTests
  summary.passedIn = (files) => countPassed(report.testResults.filter(({ name }) => files.includes(name)))
  // A file that cannot be loaded has no tests to fail.
  summary.failed = report.numFailedTests + report.numRuntimeErrorTestSuites
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') summary.failures.push({ file: file.name, name: test.fullName })
      else if (test.status !== 'passed' && !selection.includes('--testNamePattern'))
        summary.skipped.push(test.fullName)
    }
    if (file.assertionResults.length === 0 && file.status === 'failed')
      summary.failures.push({ file: file.name, name: file.name })
  }
  summary.problems.push(...summary.failures.map(({ name }) => name))
  if (code !== 0 && summary.failed === 0) {
    summary.failed = 1
    summary.problems.push(`Jest ended with code ${code}`)
  }
  return summary
}

function countPassed(files) {
  return files.flatMap((file) => file.assertionResults).filter(({ status }) => status === 'passed').length
}
