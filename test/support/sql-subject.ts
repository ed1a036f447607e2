import { fileURLToPath } from 'node:url'
import { afterAll, it } from '@jest/globals'
import { createBackend } from '../../backends/sql/index.js'
import { createBroker } from '../../brokers/sql/index.js'
import { guardBackend } from '../../src/backend/guard.js'
import type { ResultBackend } from '../../src/backend/contract.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { guardBroker } from '../../src/broker/guard.js'
import { node } from './child.js'
import { sqlPlace } from './sql-place.js'
import type { SqlServer } from './sql-place.js'
import { describeBackend, describeBroker, jsonCodec } from '../conformance/index.js'

const claimScript = fileURLToPath(new URL('../integration/sql/child/claim.js', import.meta.url))

/** Both suites on a server; `options` go into the URL. */
export async function describeSqlServer(server: SqlServer, name: string, options = ''): Promise<void> {
  const place = await sqlPlace(server)
  if (place === undefined) {
    it.skip(`${name}: no server is there`, () => undefined)
    return
  }
  afterAll(async () => {
    await place.remove()
  })
  const separator = place.url.includes('?') ? '&' : '?'
  const url = parseConnectionUrl(options === '' ? place.url : `${place.url}${separator}${options}`)
  const openResults = (): ResultBackend => guardBackend(createBackend(url, { codec: jsonCodec }))
  describeBroker({
    name,
    open: () => guardBroker(createBroker(url, {})),
    openResults,
    offers: [
      ...(['durable', 'delays', 'priorities', 'direct', 'topic', 'fanout', 'headers'] as const),
      ...(['leases', 'settle', 'queues', 'broadcast', 'schedules'] as const),
    ],
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
  describeBackend({ name, open: openResults, offers: ['shared', 'watch', 'cleanup', 'groups'] })
}
