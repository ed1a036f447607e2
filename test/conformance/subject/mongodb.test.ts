import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, it } from '@jest/globals'
import { MongoClient } from 'mongodb'
import { createBackend } from '../../../backends/mongodb/index.js'
import { createBroker } from '../../../brokers/mongodb/index.js'
import type { ResultBackend } from '../../../src/backend/contract.js'
import { guardBackend } from '../../../src/backend/guard.js'
import { parseConnectionUrl } from '../../../src/broker/connection-url.js'
import type { ConnectionUrl } from '../../../src/broker/connection-url.js'
import { guardBroker } from '../../../src/broker/guard.js'
import { node } from '../../support/child.js'
import { MongodbServer } from '../../support/mongodb-server.js'
import { restartRunner } from '../../support/restart-runner.js'
import { serviceUrl } from '../../support/service-url.js'
import { describeBackend, describeBroker, jsonCodec } from '../index.js'
import { oneStepChecks } from '../broker/one-step.js'
import { watchChecks } from '../backend/watching.js'
import type { BrokerPart, Runner } from '../index.js'
import { PATIENCE_MS } from '../../support/patience.js'

const claimScript = fileURLToPath(new URL('../../support/child/claim.js', import.meta.url))
const server = serviceUrl('mongodb')

const OFFERS: readonly BrokerPart[] = [
  'durable',
  'delays',
  'priorities',
  'direct',
  'topic',
  'fanout',
  'headers',
  'leases',
  'queues',
  'broadcast',
  'schedules',
  'clock',
]

/** A database of its own, so that no other test sees its queues. */
function at(url: string, wake: string): string {
  const [place = '', query = ''] = url.split('?')
  const database = `conformance-${randomUUID().slice(0, 8)}`
  return `${place.replace(/\/[^/]*$/, '/')}${database}?${query === '' ? '' : `${query}&`}wake=${wake}`
}

/** Registers what a replica set does in its own way, with time enough for a server in Python. */
function setRunner(): Runner {
  const isFull = process.env['LOVAGE_TEST_FULL'] === 'true'
  const chosen = new Set([...oneStepChecks, ...watchChecks].map(({ name }) => name))
  return {
    describe,
    it: (name, body) => {
      if (isFull || chosen.has(name)) it(name, body, 120_000)
    },
  }
}

async function hasTransactions(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })
  try {
    const hello = await client.db('admin').command({ isMaster: 1 })
    return typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid'
  } finally {
    await client.close()
  }
}

async function describeMongodb(
  name: string,
  base: string,
  own: { readonly runner?: Runner; readonly restart?: () => Promise<void> } = {},
): Promise<void> {
  const offers: readonly BrokerPart[] = (await hasTransactions(base)) ? [...OFFERS, 'settle'] : OFFERS
  const url = parseConnectionUrl(at(base, 'poll'))
  const resultUrl = parseConnectionUrl(at(base, 'changes'))
  const openResults = (from: ConnectionUrl) => (): ResultBackend =>
    guardBackend(createBackend(from, { codec: jsonCodec }))
  describeBroker({
    name,
    ...own,
    open: () => guardBroker(createBroker(url, {}), { publishTimeoutMs: PATIENCE_MS }),
    openResults: openResults(url),
    offers,
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url.text, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
  describeBackend({
    name,
    ...own,
    open: openResults(resultUrl),
    offers: ['shared', 'watch', 'cleanup', 'groups'],
  })
}

if (server === undefined) {
  describe('mongodb', () => {
    it.skip('is tested where LOVAGE_TEST_MONGODB_URL names a server', () => undefined)
  })
} else {
  await describeMongodb('mongodb', server)
  // A server of its own, with its data on disk: others use the shared one.
  const own = await MongodbServer.start()
  afterAll(() => own[Symbol.asyncDispose]())
  await describeMongodb('mongodb over a restart', own.url, {
    runner: restartRunner(),
    restart: async () => {
      await own.stop()
      await own.startAgain()
    },
  })
}

// A second opinion, for what a single server cannot show: it is slow, so the rest runs in full rounds.
const set = serviceUrl('mongodb-set')
if (set !== undefined) await describeMongodb('mongodb as a replica set', set, { runner: setRunner() })
