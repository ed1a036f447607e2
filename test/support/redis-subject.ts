import { fileURLToPath } from 'node:url'
import { createBackend } from '../../backends/redis/index.js'
import { createBroker } from '../../brokers/redis/index.js'
import type { ResultBackend } from '../../src/backend/contract.js'
import { guardBackend } from '../../src/backend/guard.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { guardBroker } from '../../src/broker/guard.js'
import { node } from './child.js'
import { describeBackend, describeBroker, jsonCodec } from '../conformance/index.js'
import type { BrokerPart, Runner } from '../conformance/index.js'
import { PATIENCE_MS } from './patience.js'

const claimScript = fileURLToPath(new URL('child/claim.js', import.meta.url))

const OFFERS: readonly BrokerPart[] = [
  'durable',
  'delays',
  'priorities',
  'direct',
  'topic',
  'fanout',
  'leases',
  'settle',
  'queues',
  'broadcast',
  'schedules',
  'clock',
]

/** Both conformance suites on one place of a server of Redis's protocol, which nothing else uses. */
export function describeRedis(
  name: string,
  [brokerUrl, resultUrl]: readonly [broker: string, results: string],
  own: { readonly runner?: Runner; readonly restart?: () => Promise<void> } = {},
): void {
  const url = parseConnectionUrl(brokerUrl)
  const openResults = (): ResultBackend =>
    guardBackend(createBackend(parseConnectionUrl(resultUrl), { codec: jsonCodec }))
  describeBroker({
    name,
    ...own,
    open: () => guardBroker(createBroker(url, {}), { publishTimeoutMs: PATIENCE_MS }),
    openResults,
    offers: OFFERS,
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
  describeBackend({ name, ...own, open: openResults, offers: ['shared', 'watch', 'groups'] })
}
