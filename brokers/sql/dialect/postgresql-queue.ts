import type { SqlSession } from '../sql-session.js'
import { byClaim, byPriority, claimedRow, without } from './claims.js'
import { holdValues } from './visibility-delay.js'
import { integerArray } from './postgresql-array.js'
import { insertText, insertValues, NOW } from './postgresql-insert.js'
import type {
  ClaimedRow,
  ClaimKey,
  ClaimRequest,
  GiveBack,
  NewMessage,
  QueueStatus,
  QueuePosition,
  RemoveOutcome,
} from './dialect.js'

/** What the partial index of claimable rows covers, word for word. */
export const READY = 'holder IS NULL AND due_ms IS NULL'

const PROMOTE_AT_ONCE = 1000

const LOOK = `SELECT ${NOW},
  (SELECT min(due_ms) FROM {message} WHERE due_ms IS NOT NULL),
  (SELECT min(lease_until_ms) FROM {holder} WHERE id <> $2),
  EXISTS (SELECT 1 FROM unnest($1::text[], $3::integer[], $4::bigint[]) AS wanted (name, rank, id)
    WHERE EXISTS (SELECT 1 FROM {message} AS m WHERE queue = wanted.name AND ${READY}
      AND (m.rank, m.id) > (wanted.rank, wanted.id))),
  EXISTS (SELECT 1 FROM {holder} WHERE id = $2)`

const COUNT_READY = `SELECT count(*) FROM {message} WHERE queue = $1 AND ${READY}`

const PROMOTE = `UPDATE {message} SET due_ms = NULL WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE} FOR UPDATE SKIP LOCKED))`

// A locked row keeps its place, so its address leads to it without an index.
const CLAIM = `UPDATE {message} SET holder = $1, claim = $2, deliveries = deliveries + 1 WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM {message} WHERE queue = $3 AND ${READY} AND (rank, id) > ($5, $6)
  ORDER BY rank, id LIMIT $4 FOR UPDATE SKIP LOCKED))
  RETURNING id, -rank, deliveries, unspent, due, meta, body`

// The sum keeps the planner off the index of holders, which has an entry for everything that this one ever claimed.
const MINE = 'id = ANY ($3::bigint[]) AND holder + 0 = $1 AND claim = $2'
const REMOVE = `DELETE FROM {message} WHERE ${MINE}`
const REMOVE_HELD = `${REMOVE} RETURNING id`
const HELD = `SELECT id FROM {message} WHERE ${MINE}`

const GIVE_BACK = `UPDATE {message} SET holder = NULL, claim = NULL, due_ms = $1::bigint + $2::bigint * ${NOW},
  due = greatest(due, $3), unspent = unspent + $4, meta = coalesce($5, meta)
  WHERE id = $6 AND holder + 0 = $7 AND claim = $8`

const OPEN_HOLDER = `INSERT INTO {holder} (lease_until_ms, owner) VALUES ($1::bigint + ${NOW}, $2) RETURNING id`
const RENEW_HOLDER = `UPDATE {holder} SET lease_until_ms = $1::bigint + ${NOW} WHERE id = $2`
// Locked, so that nobody frees the holder's claims while it makes new ones.
const IS_STALE = `SELECT lease_until_ms < $1::bigint + ${NOW} FROM {holder} WHERE id = $2 FOR KEY SHARE`

const FREE_UNSPENT =
  'UPDATE {message} SET holder = NULL, claim = NULL, unspent = unspent + 1 WHERE holder = $1'
const FREE = 'UPDATE {message} SET holder = NULL, claim = NULL WHERE holder = ANY ($1::bigint[])'
const DROP_HOLDERS = 'DELETE FROM {holder} WHERE id = ANY ($1::bigint[])'
const EXPIRED_HOLDERS =
  'SELECT id FROM {holder} WHERE lease_until_ms <= $1 AND id <> $2 FOR UPDATE SKIP LOCKED'

const INSERT = insertText(1)

/** One statement for any number of rows. See `SqlDialect.insert`. */
export async function insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void> {
  await session.run(INSERT, insertValues(messages))
  session.announce()
}

/** A few small index reads in one statement, without a lock. See `SqlDialect.look`. */
export async function look(
  session: SqlSession,
  queues: readonly string[],
  holder: number,
  after?: ReadonlyMap<string, QueuePosition>,
): Promise<QueueStatus> {
  const places = queues.map((queue) => placeValues(after?.get(queue)))
  const [ranks, ids] = [0, 1].map((at) => integerArray(places.map((place) => place[at] ?? 0)))
  const [row = []] = await session.all(LOOK, [textArray(queues), holder, ranks ?? '', ids ?? ''])
  const [nowMs, dueMs, leaseEndMs, ready, held] = row
  return {
    nowMs: Number(nowMs),
    ready: ready === 1,
    nextDueMs: typeof dueMs === 'number' ? dueMs : undefined,
    nextLeaseEndMs: typeof leaseEndMs === 'number' ? leaseEndMs : undefined,
    held: held === 1,
  }
}

/** Counts in the partial index of claimable rows. See `SqlDialect.countReady`. */
export async function countReady(session: SqlSession, queue: string): Promise<number> {
  const [row] = await session.all(COUNT_READY, [queue])
  return Number(row?.[0])
}

/** Takes the oldest thousand of the due ones that nobody else promotes. See `SqlDialect.promote`. */
export async function promote(session: SqlSession): Promise<number> {
  const promoted = await session.run(PROMOTE)
  if (promoted > 0) session.announce()
  return promoted
}

/** Skips what others are claiming. See `SqlDialect.claim`. */
export async function claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
  const { queue, max, holder, claim: number, after } = request
  const rows = await session.all(CLAIM, [holder, number, queue, max, ...placeValues(after)])
  return byPriority(rows.map((row) => claimedRow(row, number)))
}

/** One delete for each claim number in the batch; only the count is looked at. See `SqlDialect.remove`. */
export async function remove(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<RemoveOutcome> {
  let removed = 0
  for (const [number, ids] of byClaim(claims)) {
    removed += await session.run(REMOVE, [holder, number, integerArray(ids)])
  }
  return removed === claims.length ? 'all' : 'some-lost'
}

/** Deletes with RETURNING, and names what was not there. See `SqlDialect.removeHeld`. */
export async function removeHeld(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, (number, ids) => session.all(REMOVE_HELD, [holder, number, integerArray(ids)]))
}

/** Reads which of the claimed rows are still this holder's. See `SqlDialect.lost`. */
export async function lost(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, (number, ids) => session.all(HELD, [holder, number, integerArray(ids)]))
}

/** One update; the row keeps its place in the order of ids. See `SqlDialect.giveBack`. */
export async function giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean> {
  const [base, times] = holdValues(item.hold)
  const due = item.hold !== undefined && 'atMs' in item.hold ? 1 : 0
  const parameters = [base, times, due, item.unspent ? 1 : 0, item.meta ?? null, item.id, holder, item.claim]
  session.announce()
  return (await session.run(GIVE_BACK, parameters)) === 1
}

/** An identity gives out no number twice. See `SqlDialect.openHolder`. */
export async function openHolder(session: SqlSession, leaseMs: number, owner: string): Promise<number> {
  const [row] = await session.all(OPEN_HOLDER, [leaseMs, owner])
  return Number(row?.[0])
}

/** One row, whatever number of claims the holder has. See `SqlDialect.renewHolder`. */
export async function renewHolder(session: SqlSession, holder: number, leaseMs: number): Promise<boolean> {
  return (await session.run(RENEW_HOLDER, [leaseMs, holder])) === 1
}

/** Locks the holder's row; writes nothing while nine tenths of the lease are left. See `SqlDialect.keepHolder`. */
export async function keepHolder(session: SqlSession, holder: number, leaseMs: number): Promise<boolean> {
  const [row] = await session.all(IS_STALE, [Math.round(leaseMs * 0.9), holder])
  if (row?.[0] === 1) await session.run(RENEW_HOLDER, [leaseMs, holder])
  return row !== undefined
}

/** Gives every claim of the holder back unspent, in one statement. See `SqlDialect.closeHolder`. */
export async function closeHolder(session: SqlSession, holder: number): Promise<void> {
  // A claim that was given up here may still be under way in the server: waited for, and then seen and freed.
  await session.run(DROP_HOLDERS, [integerArray([holder])])
  const freed = await session.run(FREE_UNSPENT, [holder])
  if (freed > 0) session.announce()
}

/** Leaves out holders that are claiming at this moment. See `SqlDialect.reap`. */
export async function reap(session: SqlSession, except: number, endedBeforeMs: number): Promise<number> {
  const expired = (await session.all(EXPIRED_HOLDERS, [endedBeforeMs, except])).map(([id]) => Number(id))
  if (expired.length === 0) return 0
  const ids = integerArray(expired)
  const freed = await session.run(FREE, [ids])
  await session.run(DROP_HOLDERS, [ids])
  if (freed > 0) session.announce()
  return freed
}

/** PostgreSQL's clock, in milliseconds. See `SqlDialect.now`. */
export async function now(session: SqlSession): Promise<number> {
  const [row] = await session.all(`SELECT ${NOW}`)
  return Number(row?.[0])
}

const FIRST = [-(2 ** 31), 0] as const

/** Rank and id of a place; those of one before all others when there is none. */
export function placeValues(place: QueuePosition | undefined): readonly [rank: number, id: number] {
  return place === undefined ? FIRST : [-place.priority, place.id]
}

/** Texts as the text of an array. */
export function textArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`
}
