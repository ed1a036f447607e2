import { describe, it } from '@jest/globals'
import { leaseChecks } from '../conformance/broker/leases.js'
import { oneStepChecks } from '../conformance/broker/one-step.js'
import type { Runner } from '../conformance/index.js'

/** Must renew in time, so nothing runs beside it. */
const BY_ITSELF = 'keeps a claim that another instance renews'

/** Runs the checks that wait for a lease to end, which takes a SQL database two seconds, side by side. */
export function sideBySideRunner(): Runner {
  const waiting = new Set(
    [...leaseChecks, ...oneStepChecks.filter(({ name }) => name.includes('stale owner'))]
      .filter(({ name, needs = [] }) => !needs.includes('restart') && name !== BY_ITSELF)
      .map(({ name }) => name),
  )
  return {
    describe,
    it: (name, body, timeoutMs) => {
      if (waiting.has(name)) it.concurrent(name, body, timeoutMs)
      else it(name, body, timeoutMs)
    },
  }
}
