import type { SqlDialect } from './dialect/dialect.js'
import type { SqlDatabase } from './sql-session.js'
import type { CommitWatch } from './wake.js'

/** A database that was opened, and how to speak to it. */
export interface OpenedDatabase {
  readonly dialect: SqlDialect
  readonly database: SqlDatabase
  /** Tells of commits by other processes, where the database can. */
  readonly watch: CommitWatch
}
