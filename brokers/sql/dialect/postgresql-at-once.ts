import type { SqlSession, SqlValue } from '../sql-session.js'
import type {
  AtOnce,
  ClaimAtOnce,
  ClaimedAtOnce,
  ClaimKey,
  InsertAtOnce,
  SettleAtOnce,
  SettledAtOnce,
} from './dialect.js'
import { integerArray } from './postgresql-array.js'
import { insertText, insertValues, NOW, resultRows, resultValues, upsertFrom } from './postgresql-rows.js'
import { READY } from './postgresql-schema.js'
import { byPriority, claimedRow, placeValues } from './queue.js'

// The holder's row is locked before anything is claimed, so that no other process frees its claims while it makes new ones.
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

const GONE = `gone AS (DELETE FROM {message} AS m USING unnest($2::bigint[], $3::bigint[]) AS done (id, claim)
  WHERE m.id = done.id AND m.claim = done.claim AND m.holder + 0 = $1 RETURNING m.id, m.claim)`
// The keys only where some are missing, as good as never.
const ANSWER = `CASE WHEN count(*) < cardinality($2::bigint[]) THEN array_agg(id || ':' || claim)::text END`

const REMOVE = `WITH ${GONE} SELECT count(*), ${ANSWER} FROM gone`
const REMOVE_AND_STORE = `WITH ${GONE}, stored AS (
  ${upsertFrom(`${resultRows(6, ['id $4::bigint[]', 'claim $5::bigint[]'])} JOIN gone USING (id, claim)`)})
  SELECT count(*), ${ANSWER}, pg_notify($22, '') FROM gone`

async function settle(session: SqlSession, wish: SettleAtOnce): Promise<SettledAtOnce> {
  const { holder, claims, results, channel } = wish
  const keys = [holder, ...keyArrays(claims)]
  const [row] =
    results.length === 0
      ? await session.all(REMOVE, keys)
      : await session.all(REMOVE_AND_STORE, [
          ...keys,
          ...keyArrays(results.map(({ claim }) => claim)),
          ...resultValues(results.map(({ kept }) => kept)),
          channel,
        ])
  return { lost: lostOf(claims, Number(row?.[0]), row?.[1] ?? null) }
}

function keyArrays(keys: readonly ClaimKey[]): readonly SqlValue[] {
  return [integerArray(keys.map(({ id }) => id)), integerArray(keys.map(({ claim }) => claim))]
}

/** One message may be in a batch by two claims, of which one was lost. @param keys - An array of `id:claim`, as text. */
function lostOf(claims: readonly ClaimKey[], count: number, keys: SqlValue): readonly ClaimKey[] {
  if (count === claims.length) return []
  const gone = new Set(typeof keys === 'string' ? keys.slice(1, -1).split(',') : [])
  return claims.filter(({ id, claim }) => !gone.has(`${id}:${claim}`))
}

/** Claims, inserts and settlements of PostgreSQL in one statement each. */
export const atOnce: AtOnce = { claim, insert, settle }
