import { broadcastDialect } from './broadcasts.js'
import type { SqlDialect } from './dialect.js'
import { holderDialect } from './holders.js'
import { insertOfValues } from './insert-values.js'
import { mysqlSchema } from './mysql-schema.js'
import { PROMOTE_AT_ONCE, TableQueue } from './queue.js'
import type { QueueFragments } from './queue.js'
import { RESULT_COLUMNS, resultDialect, upsertOfValues } from './results.js'
import { readNow } from './fragments.js'
import type { Fragments } from './fragments.js'

const NOW = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"
const DATE_TEXT = "DATE_FORMAT(date_done, '%Y-%m-%d %H:%i:%s.%f')"
/** Most bytes of a statement of several rows, about: the server has a limit. */
const MOST_BYTES = 2 ** 20

const fragments: Fragments = {
  now: NOW,
  integer: (name) => `$${name}`,
  among: (column, list = 'ids') => `${column} IN ($${list})`,
}

const freed: QueueFragments['freed'] = (isReady) => `holder = NULL, claim = NULL, ready = ${isReady}`

// Assignments are made from left to right and each sees those before it, so the columns of the condition come last. The
// expiry goes with a row that now is the new one, as far as its columns tell.
const REPLACED = `(status <> 'SUCCESS' OR coalesce(lovage_expires_ms <= ${NOW}, 0))`
const IS_NEW = 'status = VALUES(status) AND date_done <=> VALUES(date_done) AND result <=> VALUES(result)'
const assignments = [
  ...RESULT_COLUMNS.filter((column) => column !== 'task_id' && column !== 'status').map((column) =>
    assigned(column, REPLACED),
  ),
  assigned('status', REPLACED),
  assigned('lovage_expires_ms', IS_NEW),
]

function assigned(column: string, condition: string): string {
  return `${column} = IF(${condition}, VALUES(${column}), ${column})`
}

/** MySQL 8 and MariaDB 10.6 or later, which have SKIP LOCKED. */
export const mysql: SqlDialect = {
  name: 'mysql',
  maxBatch: 1000,
  queue: new TableQueue({
    ...fragments,
    ready: 'ready = 1',
    freed,
    held: 'holder = $holder',
    greatest: 'greatest',
    promote: {
      find: `SELECT id FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE}
        FOR UPDATE SKIP LOCKED`,
      change: `UPDATE {message} SET due_ms = NULL, ready = 1 WHERE ${fragments.among('id')}`,
    },
    claim: {
      read: `SELECT id, -\`rank\`, deliveries + 1, unspent, due, meta, body FROM {message}
        WHERE queue = $queue AND ready = 1 ORDER BY \`rank\`, id LIMIT $max FOR UPDATE SKIP LOCKED`,
      markRead: `UPDATE {message} SET holder = $holder, claim = $claim, ready = NULL, deliveries = deliveries + 1
        WHERE ${fragments.among('id')}`,
    },
    returnsDeleted: false,
    insert: insertOfValues({
      now: NOW,
      order: { column: '`rank`', sign: -1 },
      readyColumn: 'ready',
      mostBytes: MOST_BYTES,
    }),
  }),
  holders: holderDialect({
    ...fragments,
    freed,
    lockHolder: ' FOR UPDATE',
    skipLocked: ' FOR UPDATE SKIP LOCKED',
    lastId: 'SELECT LAST_INSERT_ID()',
  }),
  broadcasts: broadcastDialect(fragments, 'SELECT version FROM {topology} FOR UPDATE'),
  results: resultDialect({
    ...fragments,
    dateText: DATE_TEXT,
    mark: `concat(status, coalesce(${DATE_TEXT}, md5(result), ''))`,
    dropExpired: (table) => ({
      find: `SELECT id FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT $limit FOR UPDATE SKIP LOCKED`,
      change: `DELETE FROM ${table} WHERE ${fragments.among('id')}`,
    }),
    upsert: upsertOfValues({
      now: NOW,
      onConflict: `ON DUPLICATE KEY UPDATE ${assignments.join(', ')}`,
      mostBytes: MOST_BYTES,
      cuts: true,
    }),
  }),
  schema: mysqlSchema,
  now: (session) => readNow(session, fragments),
}
