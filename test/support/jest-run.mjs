/** Runs Jest on a folder of compiled tests and reads back what happened. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

/**
 * One run of Jest.
 *
 * @param {object} options
 * @param {string} options.node - The Node binary.
 * @param {string[]} options.selection - Jest's arguments that choose test files.
 * @param {string} [options.folder] - Where `dist` is; the repository's root when left out.
 * @param {Record<string, string>} options.environment - Added to the environment.
 * @param {number} [options.atOnce] - How many test files run side by side; 2 when left out.
 * @param {number} options.timeoutMs - After this the whole process group is killed and the run has failed.
 */
export async function runJest({ node, selection, environment, atOnce = 2, timeoutMs, folder: cwd = root }) {
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
      env: {
        ...process.env,
        ...environment,
        NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
      },
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
  const summary = { passed: 0, failed: 0, skipped: [], problems: [] }
  if (timedOut) summary.problems.push(`killed after ${timeoutMs / 60_000} minutes`)
  if (report === undefined) {
    if (!timedOut) summary.problems.push(`Jest ended with code ${code} and no report`)
    summary.failed += 1
    return summary
  }
  summary.passed = report.numPassedTests
  // A file that cannot be loaded has no tests to fail.
  summary.failed = report.numFailedTests + report.numRuntimeErrorTestSuites
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') summary.problems.push(test.fullName)
      else if (test.status !== 'passed' && !selection.includes('--testNamePattern'))
        summary.skipped.push(test.fullName)
    }
    if (file.assertionResults.length === 0 && file.status === 'failed') summary.problems.push(file.name)
  }
  if (code !== 0 && summary.failed === 0) {
    summary.failed = 1
    summary.problems.push(`Jest ended with code ${code}`)
  }
  return summary
}
