import { sqlite } from './dialect/sqlite.js'
import { chooseEngine } from './engine/choose.js'
import { SqliteFile } from './engine/database.js'
import { watchCommits } from './engine/watch-file.js'
import type { OpenedDatabase } from './opened-database.js'
import { prepareFile } from './sqlite-target.js'
import type { SqliteTarget } from './sqlite-target.js'
import type { SqlTarget } from './target.js'

/** Open the database of a target, and choose how to speak to it. @throws `DriverMissingError` when its package is not installed. */
export async function openDatabase(target: SqlTarget): Promise<OpenedDatabase> {
  const opened = await openOwn(target)
  if (target.layout === 'lovage') return opened
  const { kombuDialect } = await import('./kombu/dialect.js')
  return { ...opened, dialect: kombuDialect(opened.dialect) }
}

async function openOwn(target: SqlTarget): Promise<OpenedDatabase> {
  switch (target.kind) {
    case 'sqlite':
      return openSqlite(target)
    case 'postgresql': {
      const { openPostgresql } = await import('./server/postgresql.js')
      return openPostgresql(target)
    }
    case 'mysql': {
      const { openMysql } = await import('./server/mysql.js')
      return openMysql(target)
    }
    case 'knex': {
      const { openKnexInstance } = await import('./server/knex-instance.js')
      return openKnexInstance(target)
    }
  }
}

async function openSqlite(target: SqliteTarget): Promise<OpenedDatabase> {
  const engine = await chooseEngine(target.engine)
  prepareFile(target.path)
  return {
    dialect: sqlite,
    database: await SqliteFile.open(engine, target),
    watch: (changed) => watchCommits(target.path, changed),
  }
}
