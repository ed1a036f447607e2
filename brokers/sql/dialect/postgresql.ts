import { broadcastDialect } from './broadcasts.js'
import type { SqlDialect } from './dialect.js'
import { holderDialect } from './holders.js'
import { atOnce } from './postgresql-at-once.js'
import { insertText, insertValues, NOW, resultRows, resultValues, upsertFrom } from './postgresql-rows.js'
import { postgresqlSchema, READY } from './postgresql-schema.js'
import { PROMOTE_AT_ONCE, TableQueue } from './queue.js'
import type { QueueFragments } from './queue.js'
import { resultDialect } from './results.js'
import { readNow } from './fragments.js'
import type { Fragments } from './fragments.js'

const DATE_TEXT = "to_char(date_done, 'YYYY-MM-DD HH24:MI:SS.US')"
const SKIP_LOCKED = ' FOR UPDATE SKIP LOCKED'
const INSERT = insertText(1)
const UPSERT = upsertFrom(resultRows(1))

const fragments: Fragments = {
  now: NOW,
  integer: (name) => `$${name}::bigint`,
  among: (column, list = 'ids') =>
    `${column} = ANY ($${list}::${column === 'task_id' ? 'text' : 'bigint'}[])`,
}

const freed: QueueFragments['freed'] = () => 'holder = NULL, claim = NULL'

/** PostgreSQL 12 or later. */
export const postgresql: SqlDialect = {
  name: 'postgresql',
  maxBatch: 1000,
  atOnce,
  queue: new TableQueue({
    ...fragments,
    ready: READY,
    freed,
    // The sum keeps the planner off the index of holders, which has an entry for everything that this one ever claimed.
    held: 'holder + 0 = $holder',
    greatest: 'greatest',
    anyReady: `EXISTS (SELECT 1 FROM unnest($queues::text[], $ranks::integer[], $ids::bigint[]) AS wanted (name, rank, id)
      WHERE EXISTS (SELECT 1 FROM {message} AS m WHERE queue = wanted.name AND ${READY}
        AND (m.rank, m.id) > (wanted.rank, wanted.id)))`,
    promote: {
      change: `UPDATE {message} SET due_ms = NULL WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE}${SKIP_LOCKED}))`,
    },
    // A locked row keeps its place, so its address leads to it without an index.
    claim: {
      read: `UPDATE {message} SET holder = $holder, claim = $claim, deliveries = deliveries + 1 WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {message} WHERE queue = $queue AND ${READY} AND (rank, id) > ($rank, $id)
        ORDER BY rank, id LIMIT $max${SKIP_LOCKED}))
        RETURNING id, -rank, deliveries, unspent, due, meta, body`,
    },
    returnsDeleted: true,
    async insert(session, messages): Promise<void> {
      await session.run(INSERT, insertValues(messages))
      session.announce()
    },
  }),
  holders: holderDialect({ ...fragments, freed, lockHolder: ' FOR KEY SHARE', skipLocked: SKIP_LOCKED }),
  broadcasts: broadcastDialect(fragments, 'LOCK TABLE {broadcast} IN SHARE ROW EXCLUSIVE MODE'),
  results: resultDialect({
    ...fragments,
    dateText: DATE_TEXT,
    mark: `status || coalesce(${DATE_TEXT}, md5(result), '')`,
    dropExpired: (table) => ({
      change: `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT $limit${SKIP_LOCKED}))`,
    }),
    async upsert(session, rows, ttlMs): Promise<void> {
      await session.run(UPSERT, resultValues(rows.map((row) => ({ row, ttlMs }))))
    },
  }),
  schema: postgresqlSchema,
  now: (session) => readNow(session, fragments),
}
