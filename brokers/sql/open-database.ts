import { sqlite } from './dialect/sqlite.js'
import { chooseEngine } from './engine/choose.js'
import { SqliteFile } from './engine/database.js'
import { watchCommits } from './engine/watch-file.js'
import type { OpenDatabase } from './dialect/dialect.js'
import { prepareFile } from './settings/sqlite-settings.js'
import type { SqliteSettings } from './settings/sqlite-settings.js'
import type { DatabaseSettings } from './settings/database-settings.js'

/** Open a database, and choose how to speak to it. @throws `DriverMissingError` when its package is not installed. */
export async function openDatabase(settings: DatabaseSettings): Promise<OpenDatabase> {
  const opened = await openOwn(settings)
  if (settings.layout === 'lovage') return opened
  const { kombuDialect } = await import('./kombu/dialect.js')
  return { ...opened, dialect: kombuDialect(opened.dialect) }
}

async function openOwn(settings: DatabaseSettings): Promise<OpenDatabase> {
  switch (settings.kind) {
    case 'sqlite':
      return openSqlite(settings)
    case 'postgresql': {
      const { openPostgresql } = await import('./server/postgresql.js')
      return openPostgresql(settings)
    }
    case 'mysql': {
      const { openMysql } = await import('./server/mysql.js')
      return openMysql(settings)
    }
    case 'knex': {
      const { openKnexInstance } = await import('./server/knex-instance.js')
      return openKnexInstance(settings)
    }
  }
}

async function openSqlite(settings: SqliteSettings): Promise<OpenDatabase> {
  const engine = await chooseEngine(settings.engine)
  prepareFile(settings.path)
  return {
    dialect: sqlite,
    database: await SqliteFile.open(engine, settings),
    watch: (changed) => watchCommits(settings.path, changed),
  }
}
