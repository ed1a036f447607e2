import { lovageCalls } from './case/lovage-calls.js'
import { lovageCanvas } from './case/lovage-canvas.js'
import { pythonCalls } from './case/python-calls.js'
import { pythonCanvas } from './case/python-canvas.js'
import { pythonReadsFailures } from './case/python-reads-failures.js'
import type { InteropCase } from './support/interop-case.js'

/** Every case of the interop suite; the table of docs/guide/celery-interop.md names each. */
export const interopSuite: readonly InteropCase[] = [
  ...pythonCalls,
  ...pythonReadsFailures,
  ...pythonCanvas,
  ...lovageCalls,
  ...lovageCanvas,
]
