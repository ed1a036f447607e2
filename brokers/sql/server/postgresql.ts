import { createHash } from 'node:crypto'
import { postgresql } from '../dialect/postgresql.js'
import type { OpenedDatabase } from '../opened-database.js'
import { shownServers } from '../server-target.js'
import type { ServerTarget } from '../server-target.js'
import { bareName } from '../table-names.js'
import { postgresqlServer } from './pg-server.js'
import { listenOn } from './listen.js'
import { KnexPool } from './knex-pool.js'
import { connectTimeoutMs, openKnex, requirePackage, tuned } from './open-knex.js'
import { ServerDatabase } from './server-database.js'
import { PreparedStatementCache } from './prepared-statement-cache.js'

/** A PostgreSQL server, on connections of Lovage's own. */
export async function openPostgresql(target: ServerTarget): Promise<OpenedDatabase> {
  await requirePackage('postgresql', 'pg', () => import('pg'))
  const { login, names, poolSize, queryTimeoutMs, keepsSession } = target
  const { servers, user, database, tls } = login
  const knex = await openKnex('pg', {
    pool: { min: 0, max: poolSize, ...(keepsSession && { afterCreate: tuned(postgresqlServer) }) },
    acquireConnectionTimeout: queryTimeoutMs,
    connection: {
      ...servers[0],
      user,
      database,
      password: login.password(),
      ssl: tls ?? false,
      application_name: login.applicationName,
      ...(login.startOptions !== undefined && { options: login.startOptions }),
      enableChannelBinding: login.bindsChannel,
      keepAlive: true,
      connectionTimeoutMillis: login.connectTimeoutMs ?? connectTimeoutMs(queryTimeoutMs),
    },
  })
  const pool = new KnexPool(knex, servers)
  const channel = channelOf(names.message)
  const db = new ServerDatabase({
    driver: postgresqlServer,
    pool,
    statements: new PreparedStatementCache(names, knex, postgresqlServer),
    channel,
    keepsSession,
    queryTimeoutMs,
    isTuned: keepsSession,
    label: `PostgreSQL at ${shownServers(login)}`,
  })
  return {
    dialect: postgresql,
    database: db,
    // A pooler gives another connection to each transaction, so nobody can be told there.
    watch: keepsSession ? listenOn(pool, channel) : () => () => undefined,
  }
}

/**
 * The channel of a table's name, whatever its schema: who reaches it by the search path and who names the schema hear each
 * other. A channel belongs to one database.
 */
export function channelOf(messageTable: string): string {
  return `lovage_${createHash('sha1').update(bareName(messageTable)).digest('hex').slice(0, 12)}`
}
