import { groupChecks } from './backend/groups.js'
import { backendLifeChecks } from './backend/life.js'
import { recordChecks } from './backend/records.js'
import { BackendStage } from './backend/stage.js'
import type { BackendNeed } from './backend/stage.js'
import type { BackendSubject } from './backend/subject.js'
import { watchChecks } from './backend/watching.js'
import { registerSuite } from './check.js'

/** Register the tests that say what the backend contract means. Call it at the top level of a test file. */
export function describeBackend(subject: BackendSubject): void {
  const offers: BackendNeed[] = [...subject.offers]
  if (subject.restart !== undefined) offers.push('restart')
  registerSuite({
    title: `backend contract: ${subject.name}`,
    checks: [...backendLifeChecks, ...recordChecks, ...watchChecks, ...groupChecks],
    offers,
    exceptions: subject.exceptions ?? {},
    runner: subject.runner,
    onStage: (run) => BackendStage.run(subject, run),
  })
}
