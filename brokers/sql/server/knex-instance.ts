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
import type { ServerDriver } from './link.js'
import { listenOn } from './listen.js'
import { mysqlDriver } from './mysql-driver.js'
import { builderKnex } from './open-knex.js'
import { pgDriver } from './pg-driver.js'
import { channelOf } from './postgresql.js'
import { ServerDatabase } from './server-database.js'
import { sqliteDriver } from './sqlite-driver.js'
import { StatementBook } from './statement-book.js'

interface Kind {
  readonly dialect: SqlDialect
  readonly driver: ServerDriver
  readonly client: 'pg' | 'mysql2' | 'better-sqlite3'
}

const KINDS: Readonly<Record<KnexDatabase, Kind>> = {
  sqlite: { dialect: sqlite, driver: sqliteDriver, client: 'better-sqlite3' },
  postgresql: { dialect: postgresql, driver: pgDriver, client: 'pg' },
  mysql: { dialect: mysql, driver: mysqlDriver, client: 'mysql2' },
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
    statements: new StatementBook(names, await builderKnex(client), driver.quote),
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
