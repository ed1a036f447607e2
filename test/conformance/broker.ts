import { broadcastChecks } from './broker/broadcast.js'
import { delayChecks } from './broker/delays.js'
import { fetchingChecks } from './broker/fetching.js'
import { leaseChecks } from './broker/leases.js'
import { lifeChecks } from './broker/life.js'
import { oneStepChecks } from './broker/one-step.js'
import { priorityChecks } from './broker/priorities.js'
import { publishingChecks } from './broker/publishing.js'
import { queueChecks } from './broker/queues.js'
import { routingChecks } from './broker/routing.js'
import { scheduleChecks } from './broker/schedules.js'
import { settlingChecks } from './broker/settling.js'
import { BrokerStage } from './broker/stage.js'
import type { BrokerNeed } from './broker/stage.js'
import type { BrokerSubject } from './broker/subject.js'
import { registerSuite } from './check.js'

/** Register the tests that say what the broker contract means. Call it at the top level of a test file. */
export function describeBroker(subject: BrokerSubject): void {
  const offers: BrokerNeed[] = [...subject.offers]
  if (subject.crash !== undefined) offers.push('crash')
  if (subject.restart !== undefined) offers.push('restart')
  registerSuite({
    title: `broker contract: ${subject.name}`,
    checks: [
      ...lifeChecks,
      ...publishingChecks,
      ...fetchingChecks,
      ...settlingChecks,
      ...priorityChecks,
      ...delayChecks,
      ...routingChecks,
      ...queueChecks,
      ...leaseChecks,
      ...oneStepChecks,
      ...broadcastChecks,
      ...scheduleChecks,
    ],
    offers,
    exceptions: subject.exceptions ?? {},
    runner: subject.runner,
    onStage: (run) => BrokerStage.run(subject, run),
  })
}
