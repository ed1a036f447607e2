import { compressed } from './case/compressed.js'
import { lovageCalls } from './case/lovage-calls.js'
import { lovageCanvas } from './case/lovage-canvas.js'
import { pythonCalls } from './case/python-calls.js'
import { pythonCanvas } from './case/python-canvas.js'
import { pythonReadsFailures } from './case/python-reads-failures.js'
import type { InteropCase } from './support/interop-case.js'

/** Every case of the interop suite, of all versions of Celery; the table of docs/guide/celery-interop.md names each. */
export const interopSuite: readonly InteropCase[] = [
  ...pythonCalls,
  ...pythonReadsFailures,
  ...pythonCanvas,
  ...lovageCalls,
  ...lovageCanvas,
  ...compressed,
]

/** What holds for the newest Celery. */
export const newestSuite: readonly InteropCase[] = interopSuite.filter(({ only52 }) => only52 !== true)

/** What holds for Celery 5.2. */
export const oldSuite: readonly InteropCase[] = interopSuite.filter(
  ({ since52, only52 }) => since52 === true || only52 === true,
)
