import type { Session, SqlValue } from '../session.js'
import { byPriority, claimedRow } from './claims.js'
import type { AtOnce, ClaimAtOnce, ClaimedAtOnce, InsertAtOnce } from './dialect.js'
import { NOW, READY } from './postgresql-queue.js'

// The holder's row is locked before anything is claimed, so that nobody frees its claims while it makes new ones.
const CLAIM = `WITH me AS MATERIALIZED (
    SELECT lease_until_ms < $5::bigint + ${NOW} AS stale, set_config('synchronous_commit', 'off', true)
    FROM {holder} WHERE id = $1 FOR KEY SHARE)
  UPDATE {message} SET holder = $1, claim = $2, deliveries = deliveries + 1 WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {message} WHERE queue = $3 AND ${READY} AND EXISTS (SELECT 1 FROM me)
    ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED))
  RETURNING id, -rank, deliveries, unspent, due, meta, body, (SELECT stale FROM me)`

/** Counts of rows that have a statement of their own; others go the long way. */
const SIZES: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100])

const inserts = new Map<number, string>()

function inserting(rows: number): string {
  const known = inserts.get(rows)
  if (known !== undefined) return known
  const values = Array.from({ length: rows }, (_, row) => valuesFrom(3 + row * 4))
  // Told and inserted only where the queues are as they were.
  const text = `WITH told AS MATERIALIZED (SELECT pg_notify($2, '') FROM {topology} WHERE version = $1)
    INSERT INTO {message} (queue, rank, meta, body)
    SELECT * FROM (VALUES ${values.join(',')}) AS sent WHERE EXISTS (SELECT 1 FROM told)`
  inserts.set(rows, text)
  return text
}

function valuesFrom(first: number): string {
  return `($${first}::text,$${first + 1}::integer,$${first + 2}::text,$${first + 3}::bytea)`
}

async function claim(session: Session, request: ClaimAtOnce): Promise<ClaimedAtOnce> {
  const { queue, max, holder, claim: number, leaseMs } = request
  const rows = await session.all(CLAIM, [holder, number, queue, max, Math.round(leaseMs * 0.9)])
  return {
    rows: byPriority(rows.map((row) => claimedRow(row, number))),
    isStale: rows[0]?.[7] === 1,
  }
}

async function insert(session: Session, { version, channel, messages }: InsertAtOnce): Promise<boolean> {
  if (!SIZES.has(messages.length) || messages.some(({ hold }) => hold !== undefined)) return false
  const values: SqlValue[] = [version, channel]
  for (const { queue, priority, meta, body } of messages) values.push(queue, -priority, meta, body)
  return (await session.run(inserting(messages.length), values)) > 0
}

/** Claims and inserts of PostgreSQL in one statement each. */
export const atOnce: AtOnce = { claim, insert }
