import { randomUUID } from 'node:crypto'
import { createBackend } from '../../../backends/memory/index.js'
import { createBroker } from '../../../brokers/memory/index.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'
import type { BrokerPart } from '../index.js'

const OFFERS: readonly BrokerPart[] = [
  'delays',
  'priorities',
  'direct',
  'topic',
  'fanout',
  'headers',
  'settle',
  'queues',
  'broadcast',
  'schedules',
]

const plain = parseConnectionUrl(`memory://${randomUUID()}`)
const leased = parseConnectionUrl(`memory://${randomUUID()}?leases=true`)

describeBroker({
  name: 'memory',
  open: () => guardBroker(createBroker(plain, {})),
  openResults: () => guardBackend(createBackend(plain, { codec: jsonCodec })),
  offers: OFFERS,
})

describeBroker({
  name: 'memory with leases',
  open: () => guardBroker(createBroker(leased, {})),
  openResults: () => guardBackend(createBackend(leased, { codec: jsonCodec })),
  offers: [...OFFERS, 'leases'],
})

describeBackend({
  name: 'memory',
  open: () => guardBackend(createBackend(plain, { codec: jsonCodec })),
  offers: ['watch', 'cleanup', 'groups', 'chords'],
})
