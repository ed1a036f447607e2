import { describe } from '@jest/globals'
import { createBroker } from '../../../brokers/rabbitmq/index.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { serviceUrl } from '../../support/service-url.js'
import { describeBroker } from '../index.js'
import type { BrokerPart } from '../index.js'

const server = serviceUrl('rabbitmq')

const OFFERS: readonly BrokerPart[] = ['durable', 'delays', 'direct', 'topic', 'fanout', 'headers', 'broadcast']

const EXCEPTIONS = {
  'does not count delayed messages as ready, and purges them too':
    'a delayed message waits in a queue that all queues share',
}

const NO_PRIORITIES = 'quorum queues know no priorities before RabbitMQ 4'
const QUORUM_EXCEPTIONS = {
  ...EXCEPTIONS,
  'delivers larger priorities first, and one priority in publish order': NO_PRIORITIES,
  'treats a message without a priority as one of priority zero': NO_PRIORITIES,
  'delivers an urgent message before those that wait longer': NO_PRIORITIES,
}

if (server === undefined) {
  describe.skip('broker contract: rabbitmq', () => undefined)
} else {
  const url = parseConnectionUrl(server)

  describeBroker({
    name: 'rabbitmq, classic queues with priorities',
    open: () => guardBroker(createBroker(url, {})),
    offers: [...OFFERS, 'priorities'],
    queueArguments: { 'x-max-priority': 9 },
    delayMs: 1_000,
    exceptions: EXCEPTIONS,
  })

  describeBroker({
    name: 'rabbitmq, quorum queues',
    open: () => guardBroker(createBroker(url, {})),
    offers: [...OFFERS, 'priorities'],
    queueArguments: { 'x-queue-type': 'quorum' },
    delayMs: 1_000,
    exceptions: QUORUM_EXCEPTIONS,
  })
}
