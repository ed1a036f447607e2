import type { SqlSession } from '../sql-session.js'
import { byPriority, claimedRow } from './claims.js'
import type { AtOnce, ClaimAtOnce, ClaimedAtOnce, InsertAtOnce } from './dialect.js'
import { insertText, insertValues, NOW } from './postgresql-insert.js'
import { placeValues, READY } from './postgresql-queue.js'
import { settle } from './postgresql-settle.js'

// The holder's row is locked before anything is claimed, so that nobody frees its claims while it makes new ones.
const CLAIM = `WITH me AS MATERIALIZED (
    SELECT lease_until_ms < $5::bigint + ${NOW} AS stale, set_config('synchronous_commit', 'off', true)
    FROM {holder} WHERE id = $1 FOR KEY SHARE)
  UPDATE {message} SET holder = $1, claim = $2, deliveries = deliveries + 1 WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {message} WHERE queue = $3 AND ${READY} AND EXISTS (SELECT 1 FROM me)
    AND (rank, id) > ($6, $7) ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED))
  RETURNING id, -rank, deliveries, unspent, due, meta, body, (SELECT stale FROM me)`

// Told and inserted only where the queues are as they were.
const INSERT = `WITH told AS MATERIALIZED (SELECT pg_notify($2, '') FROM {topology} WHERE version = $1)
  ${insertText(3, 'EXISTS (SELECT 1 FROM told)')}`

async function claim(session: SqlSession, request: ClaimAtOnce): Promise<ClaimedAtOnce> {
  const { queue, max, holder, claim: number, leaseMs, after } = request
  const values = [holder, number, queue, max, Math.round(leaseMs * 0.9), ...placeValues(after)]
  const rows = await session.all(CLAIM, values)
  return {
    rows: byPriority(rows.map((row) => claimedRow(row, number))),
    isStale: rows[0]?.[7] === 1,
  }
}

async function insert(session: SqlSession, { version, channel, messages }: InsertAtOnce): Promise<boolean> {
  return (await session.run(INSERT, [version, channel, ...insertValues(messages)])) > 0
}

/** Claims, inserts and settlements of PostgreSQL in one statement each. */
export const atOnce: AtOnce = { claim, insert, settle }
