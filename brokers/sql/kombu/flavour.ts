import type { SharedTables } from '../dialect/dialect.js'
import type { SqlSession } from '../sql-session.js'
import type { TableNames } from '../table-names.js'

/** What one database has of its own in kombu's tables; all else is built by knex. */
export interface KombuFlavour extends SharedTables {
  /** The condition of a message that waits, as the index of those has it. */
  readonly visible: string
  /** Whether a claim can pass by what others claim at this moment; where not, a write transaction is alone. */
  readonly skipsLocked: boolean
  /**
   * The expression of the next id of a sequence, given its name; `undefined` where rows get their ids by themselves.
   * SQLAlchemy gives the columns no default where there are sequences, and a table that Celery uses all the time is not
   * altered for it: that would wait for every open transaction, and all of Celery behind it.
   */
  nextId(session: SqlSession): Promise<((sequence: string) => string) | undefined>
}

/** Name of the index that claims are made by; kombu's own lead past every message that was ever taken. */
export function claimIndex({ kombuMessage }: TableNames): string {
  return `${kombuMessage.slice(kombuMessage.lastIndexOf('.') + 1)}_lovage`
}
