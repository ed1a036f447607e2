import type { SqlDialect } from './dialect.js'
import { dropMessages } from './drop-messages.js'
import { atOnce } from './postgresql-at-once.js'
import * as broadcast from './postgresql-broadcast.js'
import * as queue from './postgresql-queue.js'
import * as results from './postgresql-results.js'
import { missingGrants } from './postgresql-rights.js'
import * as schema from './postgresql-schema.js'

/** PostgreSQL 12 or later. */
export const postgresql: SqlDialect = {
  name: 'postgresql',
  maxBatch: 1000,
  atOnce,
  ...queue,
  dropMessages,
  ...broadcast,
  ...results,
  ...schema,
  missingGrants,
}
