import type { TaskRecord } from '../../src/backend/contract.js'
import type { KeptRow, SqlDialect } from './dialect/dialect.js'
import type { SqlSession } from './sql-session.js'

/** A record and how long to keep it, in milliseconds; 0 keeps it. */
export interface KeptRecord {
  readonly record: TaskRecord
  readonly ttlMs: number
}

/** The result backend as the broker of the same database sees it. */
export interface ResultWriter {
  /** Records as rows, for a statement of the broker's that stores them; {@link stored} is called after it. */
  rowsOf(records: readonly KeptRecord[]): readonly KeptRow[]
  /** Records were stored. */
  stored(): void
  /** Write records within the caller's transaction. */
  writeWithin(session: SqlSession, dialect: SqlDialect, records: readonly KeptRecord[]): Promise<void>
}
