import { mysql } from '../dialect/mysql.js'
import { postgresql } from '../dialect/postgresql.js'
import { sqlite } from '../dialect/sqlite.js'
import type { SqlDialect } from '../dialect/dialect.js'
import { watchCommits } from '../engine/watch-file.js'
import type { KnexDatabase, KnexTarget } from '../knex-target.js'
import type { OpenedDatabase } from '../opened-database.js'
import { isRecord } from '../../../src/util/record.js'
import type { CommitWatch } from '../wake.js'
import { KnexPool } from './knex-pool.js'
import type { ServerAdapter } from './sql-connection.js'
import { listenOn } from './listen.js'
import { mysqlServer } from './mysql-server.js'
import { builderKnex } from './open-knex.js'
import { postgresqlServer } from './pg-server.js'
import { channelOf } from './postgresql.js'
import { ServerDatabase } from './server-database.js'
import { sqliteServer } from './sqlite-server.js'
import { PreparedStatementCache } from './prepared-statement-cache.js'

interface Kind {
  readonly dialect: SqlDialect
  readonly driver: ServerAdapter
  readonly client: 'pg' | 'mysql2' | 'better-sqlite3'
}

const KINDS: Readonly<Record<KnexDatabase, Kind>> = {
  sqlite: { dialect: sqlite, driver: sqliteServer, client: 'better-sqlite3' },
  postgresql: { dialect: postgresql, driver: postgresqlServer, client: 'pg' },
  mysql: { dialect: mysql, driver: mysqlServer, client: 'mysql2' },
}

/**
 * The application's knex as a database. Its connections are used and never closed.
 *
 * Statements are built by a knex of Lovage's own: the application may have set how names are written and rows are read.
 */
export async function openKnexInstance(target: KnexTarget): Promise<OpenedDatabase> {
  const { knex, database, names, keepsSession, queryTimeoutMs } = target
  const { dialect, driver, client } = KINDS[database]
  const pool = new KnexPool(knex)
  const channel = database === 'postgresql' ? channelOf(names.message) : undefined
  const opened = new ServerDatabase({
    driver,
    pool,
    statements: new PreparedStatementCache(names, await builderKnex(client), driver),
    channel,
    keepsSession,
    queryTimeoutMs,
    isTuned: false,
    label: `the application's ${database} database`,
  })
  return { dialect, database: opened, watch: watchOf(target, pool, channel) }
}

function watchOf(target: KnexTarget, pool: KnexPool, channel: string | undefined): CommitWatch {
  if (channel !== undefined && target.keepsSession) return listenOn(pool, channel)
  const path = target.database === 'sqlite' ? filePath(target.knex.client) : undefined
  return path === undefined ? () => () => undefined : (changed) => watchCommits(path, changed)
}

function filePath(client: unknown): string | undefined {
  const settings = isRecord(client) ? client['connectionSettings'] : undefined
  const path = isRecord(settings) ? settings['filename'] : undefined
  return typeof path === 'string' && path !== ':memory:' ? path : undefined
}
