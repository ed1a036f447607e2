import type { SqlDialect } from './dialect.js'
import { dropMessages } from './drop-messages.js'
import * as broadcast from './mysql-broadcast.js'
import * as queue from './mysql-queue.js'
import * as results from './mysql-results.js'
import * as schema from './mysql-schema.js'

/** MySQL 8 and MariaDB 10.6 or later, which have SKIP LOCKED. */
export const mysql: SqlDialect = {
  name: 'mysql',
  maxBatch: 1000,
  ...queue,
  dropMessages,
  ...broadcast,
  ...results,
  ...schema,
}
