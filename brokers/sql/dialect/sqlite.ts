import { broadcastDialect } from './broadcasts.js'
import type { SqlDialect } from './dialect.js'
import { holderDialect } from './holders.js'
import { insertOfValues } from './insert-values.js'
import { PROMOTE_AT_ONCE, TableQueue } from './queue.js'
import type { QueueFragments } from './queue.js'
import { RESULT_COLUMNS, resultDialect, upsertOfValues } from './results.js'
import { READY, sqliteSchema } from './sqlite-schema.js'
import { readNow } from './fragments.js'
import type { Fragments } from './fragments.js'

const NOW = "CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)"
const NO_LIMIT = Number.POSITIVE_INFINITY

const fragments: Fragments = {
  now: NOW,
  integer: (name) => `$${name}`,
  // A list goes in as one JSON text, so that a statement is prepared once for any number of values.
  among: (column, list = 'ids') => `${column} IN (SELECT value FROM json_each($${list}))`,
}

const freed: QueueFragments['freed'] = () => 'holder = NULL, claim = NULL'

const updates = [...RESULT_COLUMNS.slice(1), 'lovage_expires_ms'].map(
  (column) => `${column} = excluded.${column}`,
)

/** SQLite 3.35 or later (RETURNING), with its JSON functions. A write transaction is alone in its file: nothing is locked. */
export const sqlite: SqlDialect = {
  name: 'sqlite',
  maxBatch: 1000,
  queue: new TableQueue({
    ...fragments,
    ready: READY,
    freed,
    held: 'holder = $holder',
    greatest: 'max',
    anyReady: `EXISTS (SELECT 1 FROM {message} WHERE ${fragments.among('queue', 'queues')} AND ${READY})`,
    promote: {
      change: `UPDATE {message} SET due_ms = NULL WHERE id IN (
        SELECT id FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE})`,
    },
    // RETURNING would copy every row into a table of its own first; reading them by the holder's index is quicker.
    claim: {
      mark: `UPDATE {message} SET holder = $holder, claim = $claim, deliveries = deliveries + 1 WHERE id IN (
        SELECT id FROM {message} WHERE queue = $queue AND ${READY} ORDER BY priority DESC, id LIMIT $max)`,
      read: `SELECT id, priority, deliveries, unspent, due, meta, body FROM {message}
        WHERE holder = $holder AND claim = $claim AND queue = $queue`,
    },
    returnsDeleted: true,
    insert: insertOfValues({ now: NOW, order: { column: 'priority', sign: 1 }, mostBytes: NO_LIMIT }),
  }),
  holders: holderDialect({ ...fragments, freed, lockHolder: '', skipLocked: '' }),
  broadcasts: broadcastDialect(fragments),
  results: resultDialect({
    ...fragments,
    dateText: 'date_done',
    mark: 'status || coalesce(date_done, hex(result))',
    dropExpired: (table) => ({
      change: `DELETE FROM ${table} WHERE id IN (
        SELECT id FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT $limit)`,
    }),
    upsert: upsertOfValues({
      now: NOW,
      onConflict: `ON CONFLICT (task_id) DO UPDATE SET ${updates.join(', ')}
        WHERE {taskmeta}.status <> 'SUCCESS' OR {taskmeta}.lovage_expires_ms <= ${NOW}`,
      mostBytes: NO_LIMIT,
      cuts: false,
    }),
  }),
  schema: sqliteSchema,
  now: (session) => readNow(session, fragments),
}
