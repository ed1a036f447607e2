import { createHash } from 'node:crypto'
import { postgresql } from '../dialect/postgresql.js'
import type { OpenDatabase } from '../dialect/dialect.js'
import type { ServerSettings } from '../settings/server-settings.js'
import { bareName } from '../table-names.js'
import { listenOn } from './listen.js'
import { connectTimeoutMs, openServer, requirePackage } from './open-knex.js'
import { isRecord } from '../../../src/util/record.js'
import type { ConnectionFault, SqlConnection, ServerAdapter } from './sql-connection.js'
import { cutClient, PgLink, pgClient } from './postgresql-connection.js'
import { AGAIN, ELSEWHERE, networkFault, REFUSED, UNAVAILABLE } from './faults.js'

/** A PostgreSQL server, on connections of Lovage's own. */
export async function openPostgresql(server: ServerSettings): Promise<OpenDatabase> {
  const { default: pg } = await requirePackage('postgresql', 'pg', () => import('pg'))
  const { login, names, keepsSession } = server
  const settings = {
    user: login.user,
    database: login.database,
    password: login.password(),
    ssl: login.tls ?? false,
    application_name: login.applicationName,
    ...(login.startOptions !== undefined && { options: login.startOptions }),
    enableChannelBinding: login.bindsChannel,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs(server),
  }
  const channel = channelOf(names.message)
  const { database, pool } = await openServer(server, {
    client: 'pg',
    driver: postgresqlServer,
    settings,
    channel,
    openApart: async (address) => {
      const client = new pg.Client({ ...settings, ...address })
      client.on('error', () => undefined)
      await client.connect()
      return client
    },
    title: 'PostgreSQL',
  })
  // A pooler gives another connection to each transaction, so there are no notifications.
  return {
    dialect: postgresql,
    database,
    watch: keepsSession ? listenOn(pool, channel) : () => () => undefined,
  }
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const AGAIN_CODES: ReadonlySet<string> = new Set(['40001', '40P01'])
const UNAVAILABLE_CLASSES: ReadonlySet<string> = new Set([
  '53', // disk full, out of memory, too many connections
  '57', // cancelled, as by statement_timeout; shutting down; starting up
  '58', // input or output error
])
const ELSEWHERE_CODES: ReadonlySet<string> = new Set([
  '25006', // read only: the other side of a failover
  '57P01', // shut down by the administrator
  '57P02', // another process of the server crashed
  '57P03', // starting up or shutting down
])
const UNAVAILABLE_CODES: ReadonlySet<string> = new Set([
  '25P03', // idle_in_transaction_session_timeout
  '55P03', // lock_timeout
  '26000', // a pooler gave us another connection's prepared statements
])

// A plan is made when a queue is empty and kept when it is full, and statistics come a minute later than a million rows: only
// the indexes may be used. Without them the cost of a scan would look so high that it is compiled.
const TUNING = ['enable_seqscan', 'enable_bitmapscan', 'jit']
// A process that stands still in the middle of a transaction must not keep from others what it has locked.
const IDLE_LIMIT = 'idle_in_transaction_session_timeout TO 10000'
const TUNE = tune('SET')
const TUNE_TRANSACTION = tune('SET LOCAL')

/** PostgreSQL through `pg`. */
export const postgresqlServer: ServerAdapter = {
  quote: '"',
  isNumbered: true,
  connection: (connection, keepsSession): SqlConnection => new PgLink(pgClient(connection), keepsSession),
  cut: cutClient,
  begin: ({ durable = true }, isTuned) => {
    const texts = ['BEGIN']
    if (!isTuned) texts.push(TUNE_TRANSACTION)
    if (!durable) texts.push('SET LOCAL synchronous_commit TO off')
    return [texts.join(';')]
  },
  tuning: [TUNE],
  commit: (channel) => (channel === undefined ? 'COMMIT' : `NOTIFY ${channel};COMMIT`),
  tell: (channel) => `NOTIFY ${channel}`,
  writable: "SELECT current_setting('transaction_read_only') = 'off'",
  faultOf,
}

function tune(set: string): string {
  return [...TUNING.map((setting) => `${setting} TO off`), IDLE_LIMIT].map((to) => `${set} ${to}`).join(';')
}

function faultOf(error: unknown): ConnectionFault | undefined {
  const code = isRecord(error) ? error['code'] : undefined
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return networkFault(error)
  if (AGAIN_CODES.has(code)) return AGAIN
  if (ELSEWHERE_CODES.has(code) || code.startsWith('08')) return ELSEWHERE
  const isAway = UNAVAILABLE_CLASSES.has(code.slice(0, 2)) || UNAVAILABLE_CODES.has(code)
  return isAway ? UNAVAILABLE : REFUSED
}

/**
 * The channel of a table's name, whatever its schema: who reaches it by the search path and who names the schema hear each
 * other. A channel belongs to one database.
 */
export function channelOf(messageTable: string): string {
  return `lovage_${createHash('sha1').update(bareName(messageTable)).digest('hex').slice(0, 12)}`
}
