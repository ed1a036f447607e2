import { mysql } from '../dialect/mysql.js'
import type { OpenedDatabase } from '../opened-database.js'
import { shownServers } from '../server-target.js'
import type { ServerTarget } from '../server-target.js'
import { KnexPool } from './knex-pool.js'
import { mysqlDriver, POOL_IDLE_MS } from './mysql-driver.js'
import { connectTimeoutMs, openKnex, requirePackage, tuned } from './open-knex.js'
import { ServerDatabase } from './server-database.js'
import { StatementBook } from './statement-book.js'

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
      ...(keepsSession && { afterCreate: tuned(mysqlDriver) }),
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
    driver: mysqlDriver,
    pool: new KnexPool(knex, servers),
    statements: new StatementBook(names, knex, mysqlDriver.quote),
    channel: undefined,
    keepsSession,
    queryTimeoutMs,
    isTuned: keepsSession,
    label: `MySQL at ${shownServers(login)}`,
  })
  // Nobody is told of commits: a poll finds them.
  return { dialect: mysql, database: db, watch: () => () => undefined }
}
