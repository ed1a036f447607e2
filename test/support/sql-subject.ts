import { fileURLToPath } from 'node:url'
import { afterAll, it } from '@jest/globals'
import { createBackend } from '../../backends/sql/index.js'
import { createBroker } from '../../brokers/sql/index.js'
import { guardBackend } from '../../src/backend/guard.js'
import type { ResultBackend } from '../../src/backend/contract.js'
import { parseConnectionUrl } from '../../src/broker/connection-url.js'
import { guardBroker } from '../../src/broker/guard.js'
import { node } from './child.js'
import { OwnServer } from './own-server.js'
import { restartRunner } from './restart-runner.js'
import { sideBySideRunner } from './side-by-side-runner.js'
import { sqlPlace } from './sql-place.js'
import type { SqlServer } from './sql-place.js'
import { describeBackend, describeBroker, jsonCodec } from '../conformance/index.js'
import type { BrokerPart, Runner } from '../conformance/index.js'
import { PATIENCE_MS } from './patience.js'

const claimScript = fileURLToPath(new URL('child/claim.js', import.meta.url))

/** Parts of the contract that every SQL database has, in whatever tables. */
export const SQL_PARTS: readonly BrokerPart[] = [
  ...(['durable', 'delays', 'direct', 'topic', 'fanout', 'headers'] as const),
  ...(['leases', 'settle', 'queues', 'broadcast', 'schedules', 'clock'] as const),
]

/** What the suites are given beside the URL of a store. */
interface Own {
  readonly runner?: Runner
  readonly restart?: () => Promise<void>
}

/** The broker's suite on one URL. */
export function describeSqlBroker(
  name: string,
  url: string,
  offers: readonly BrokerPart[],
  own: Own = {},
): void {
  const parsed = parseConnectionUrl(url)
  describeBroker({
    name,
    runner: sideBySideRunner(),
    ...own,
    open: () => guardBroker(createBroker(parsed, {}), { publishTimeoutMs: PATIENCE_MS }),
    openResults: () => openSqlResults(url),
    offers,
    crash: async (queue, count, leaseMs) => {
      await using child = node(claimScript, [url, queue, String(count), String(leaseMs)])
      await child.waitForLine('claimed')
      await child.stop()
    },
  })
}

function openSqlResults(url: string): ResultBackend {
  return guardBackend(createBackend(parseConnectionUrl(url), { codec: jsonCodec }))
}

/**
 * Both suites on a server, in a place of their own.
 *
 * @param service - As in {@link sqlPlace}.
 */
export async function describeSqlServer(server: SqlServer, name: string, service?: string): Promise<void> {
  const place = await sqlPlace(server, service)
  if (place === undefined) {
    it.skip(`${name}: no server is there`, () => undefined)
    return
  }
  afterAll(async () => {
    await place.remove()
  })
  describeSqlStore(name, place.url)
}

/** What is said of restarts, on a server that nothing else uses. */
export async function describeSqlRestarts(server: SqlServer): Promise<void> {
  const name = `${server} over a restart`
  const missing = await OwnServer.missing(server)
  if (missing !== undefined) {
    it.skip(`${name}: ${missing}`, () => undefined)
    return
  }
  const own = await OwnServer.open(server)
  afterAll(() => own[Symbol.asyncDispose]())
  const restarted = {
    runner: restartRunner(),
    restart: async () => {
      await own.kill()
      await own.start()
    },
  }
  describeSqlStore(name, own.url(), restarted)
  describeSqlBroker(`kombu's tables on ${name}`, `sqla+${own.url()}`, SQL_PARTS, restarted)
}

/** Both suites on one URL of Lovage's own tables. */
export function describeSqlStore(name: string, url: string, own: Own = {}): void {
  describeSqlBroker(name, url, ['priorities', ...SQL_PARTS], own)
  describeBackend({
    name,
    ...own,
    open: () => openSqlResults(url),
    offers: ['shared', 'watch', 'cleanup', 'groups'],
  })
}
