import { fileURLToPath } from 'node:url'
import { describe, it } from '@jest/globals'
import { createBroker } from '../../brokers/sqs/index.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { guardBroker } from '../../src/broker/guard.js'
import { node } from './child.js'
import { serviceUrl } from './service-url.js'
import { describeBroker } from '../conformance/index.js'
import type { BrokerPart } from '../conformance/index.js'
import { PATIENCE_MS } from './patience.js'

const claimScript = fileURLToPath(new URL('child/claim.js', import.meta.url))

const OFFERS: readonly BrokerPart[] = ['durable', 'delays', 'direct', 'topic', 'leases', 'queues', 'clock']

const EXCEPTIONS = {
  'delivers a body of one mebibyte':
    'the service takes messages of one mebibyte, base64 and headers included',
  'keeps queues whose names are alike apart': "names are translated as Celery's: % and _ are one character",
  'sees the bindings that another instance declared':
    'the service has no place for bindings; each process has them from its configuration',
}

const NO_ORDER = 'a standard queue promises no order, and this server keeps none within a millisecond'

/** What a standard queue need not keep; asked of the server that keeps it. */
export const UNORDERED: Readonly<Record<string, string>> = {
  'delivers a batch in publish order': NO_ORDER,
  'delivers first what was published first': NO_ORDER,
  'holds no more unsettled deliveries than its credit': NO_ORDER,
  'claims more once its credit is raised': NO_ORDER,
  'claims for a fetch that waits for credit once something is settled': NO_ORDER,
  'delivers while messages keep coming in': NO_ORDER,
  'acknowledges in any order': NO_ORDER,
  'reports a claim that is not held any more when it is acknowledged': NO_ORDER,
}

/** The conformance suite on a server that speaks the protocol of Amazon SQS, by the name of its service. */
export function describeSqs(server: string, exceptions: Readonly<Record<string, string>>): void {
  const text = serviceUrl(server)
  if (text === undefined) {
    describe(server, () => {
      it.skip(`is tested where LOVAGE_TEST_${server.toUpperCase()}_URL names a server`, () => undefined)
    })
    return
  }
  const url = parseConnectionUrl(text)
  describeBroker({
    name: `sqs on ${server === 'sqs' ? 'ElasticMQ' : server}`,
    open: () => guardBroker(createBroker(url, {}), { publishTimeoutMs: PATIENCE_MS }),
    offers: OFFERS,
    exceptions: { ...EXCEPTIONS, ...exceptions },
    // The service counts whole seconds.
    leaseMs: 2_000,
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
}
