import { describe, it } from '@jest/globals'
import { recordChecks } from '../conformance/backend/records.js'
import { leaseChecks } from '../conformance/broker/leases.js'
import type { Runner } from '../conformance/index.js'

/** Registers what a server is restarted for, and what every suite says of its exceptions. */
export function restartRunner(): Runner {
  const chosen = new Set(
    [...leaseChecks, ...recordChecks]
      .filter(({ needs = [] }) => needs.includes('restart'))
      .map(({ name }) => name),
  )
  return {
    describe,
    it: (name, body) => {
      if (chosen.has(name)) it(name, body, 120_000)
    },
  }
}
