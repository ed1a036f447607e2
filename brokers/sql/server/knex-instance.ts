import { mysql } from '../dialect/mysql.js'
import { postgresql } from '../dialect/postgresql.js'
import { sqlite } from '../dialect/sqlite.js'
import type { CommitWatch, OpenDatabase, SqlDialect } from '../dialect/dialect.js'
import { watchCommits } from '../engine/watch-file.js'
import type { KnexDatabase, KnexSettings } from '../settings/knex-settings.js'
import { isRecord } from '../../../src/util/record.js'
import { KnexPool } from './knex-pool.js'
import type { ServerAdapter } from './sql-connection.js'
import { listenOn } from './listen.js'
import { mysqlServer } from './mysql.js'
import { builderKnex } from './open-knex.js'
import { channelOf, postgresqlServer } from './postgresql.js'
import { ServerDatabase } from './server-database.js'
import { sqliteServer } from './sqlite.js'
import { PreparedStatementCache } from './server-session.js'

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
export async function openKnexInstance(settings: KnexSettings): Promise<OpenDatabase> {
  const { knex, database, names, keepsSession, queryTimeoutMs } = settings
  const { dialect, driver, client } = KINDS[database]
  const pool = new KnexPool(knex, driver)
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
  return { dialect, database: opened, watch: watchOf(settings, pool, channel) }
}

function watchOf(settings: KnexSettings, pool: KnexPool, channel: string | undefined): CommitWatch {
  if (channel !== undefined && settings.keepsSession) return listenOn(pool, channel)
  const path = settings.database === 'sqlite' ? filePath(settings.knex.client) : undefined
  return path === undefined ? () => () => undefined : (changed) => watchCommits(path, changed)
}

function filePath(client: unknown): string | undefined {
  const config = isRecord(client) ? client['config'] : undefined
  const settings = isRecord(config) ? config['connection'] : undefined
  const path = isRecord(settings) ? settings['filename'] : undefined
  return typeof path === 'string' && path !== ':memory:' ? path : undefined
}
