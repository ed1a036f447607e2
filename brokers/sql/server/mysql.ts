import { mysql } from '../dialect/mysql.js'
import type { OpenedDatabase } from '../opened-database.js'
import { shownServers } from '../server-target.js'
import type { ServerTarget } from '../server-target.js'
import { KnexPool } from './knex-pool.js'
import { mysqlServer, POOL_IDLE_MS } from './mysql-server.js'
import { connectTimeoutMs, openKnex, requirePackage, tuned } from './open-knex.js'
import { ServerDatabase } from './server-database.js'
import { PreparedStatementCache } from './prepared-statement-cache.js'

/** A MySQL or MariaDB server, on connections of Lovage's own. */
export async function openMysql(target: ServerTarget): Promise<OpenedDatabase> {
  await requirePackage('mysql', 'mysql2', () => import('mysql2'))
  const { login, names, poolSize, queryTimeoutMs, keepsSession } = target
  const { servers, user, database, tls } = login
  const knex = await openKnex('mysql2', {
    pool: {
      min: 0,
      max: poolSize,
      idleTimeoutMillis: POOL_IDLE_MS,
      ...(keepsSession && { afterCreate: tuned(mysqlServer) }),
    },
    acquireConnectionTimeout: queryTimeoutMs,
    connection: {
      ...servers[0],
      ...(login.socketPath !== undefined && { socketPath: login.socketPath }),
      user,
      database,
      password: login.password(),
      ...(tls !== undefined && { ssl: tls }),
      charset: 'utf8mb4',
      enableKeepAlive: true,
      connectTimeout: login.connectTimeoutMs ?? connectTimeoutMs(queryTimeoutMs),
    },
  })
  const db = new ServerDatabase({
    driver: mysqlServer,
    pool: new KnexPool(knex, servers),
    statements: new PreparedStatementCache(names, knex, mysqlServer),
    channel: undefined,
    keepsSession,
    queryTimeoutMs,
    isTuned: keepsSession,
    label: `MySQL at ${shownServers(login)}`,
  })
  // Nobody is told of commits: a poll finds them.
  return { dialect: mysql, database: db, watch: () => () => undefined }
}
