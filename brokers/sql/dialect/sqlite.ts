import type { SqlSession } from '../sql-session.js'
import type { SqlDialect } from './dialect.js'
import { dropMessages } from './drop-messages.js'
import * as broadcast from './sqlite-broadcast.js'
import * as queue from './sqlite-queue.js'
import * as results from './sqlite-results.js'
import * as schema from './sqlite-schema.js'

/** SQLite 3.35 or later (RETURNING), with its JSON functions. */
export const sqlite: SqlDialect = {
  name: 'sqlite',
  maxBatch: 1000,
  ...queue,
  dropMessages,
  ...broadcast,
  ...results,
  ...schema,
  async hasTable(session: SqlSession, table: string): Promise<boolean> {
    const sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    return (await session.all(sql, [table])).length > 0
  },
  // A write transaction is alone in its file.
  lockSchema: async () => undefined,
  unlockSchema: async () => undefined,
}
