import { fileURLToPath } from 'node:url'
import { describe, it } from '@jest/globals'
import { createBackend } from '../../../backends/redis/index.js'
import { createBroker } from '../../../brokers/redis/index.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { node } from '../../support/child.js'
import { serviceUrl } from '../../support/service-url.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'
import type { BrokerPart } from '../index.js'

const claimScript = fileURLToPath(new URL('../../integration/redis/child/claim.js', import.meta.url))
const server = serviceUrl('redis')

const OFFERS: readonly BrokerPart[] = [
  'durable',
  'delays',
  'priorities',
  'direct',
  'topic',
  'leases',
  'settle',
  'queues',
  'broadcast',
  'schedules',
]

const KOMBU_SERVES_SMALL_FIRST = "the lists are those of Celery's workers, where priority 0 is served first"

/** Other tests, and this one again, use databases of the same server. */
const at = (database: number, query = ''): string =>
  `${(server ?? '').replace(/\/\d*$/, '')}/${String(database)}${query}`

function describeOn(name: string, brokerUrl: string, resultUrl: string): void {
  const url = parseConnectionUrl(brokerUrl)
  const openResults = (): ResultBackend =>
    guardBackend(createBackend(parseConnectionUrl(resultUrl), { codec: jsonCodec }))
  describeBroker({
    name,
    open: () => guardBroker(createBroker(url, {})),
    openResults,
    offers: OFFERS,
    exceptions: {
      'delivers larger priorities first, and one priority in publish order': KOMBU_SERVES_SMALL_FIRST,
      'treats a message without a priority as one of priority zero': KOMBU_SERVES_SMALL_FIRST,
      'delivers an urgent message before those that wait longer': KOMBU_SERVES_SMALL_FIRST,
    },
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
  describeBackend({ name, open: openResults, offers: ['shared', 'watch', 'groups'] })
}

if (server === undefined) {
  describe('redis', () => {
    it.skip('is tested where LOVAGE_TEST_REDIS_URL names a server', () => undefined)
  })
} else {
  describeOn('redis', at(1, '?delay=store'), at(1))
  describeOn(
    'redis with a key prefix and results elsewhere',
    at(2, '?delay=store&global_keyprefix=shop:'),
    at(3),
  )
}
