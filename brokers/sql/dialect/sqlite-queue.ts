import type { SqlSession, SqlValue } from '../sql-session.js'
import { byClaim, claimedRow, without } from './claims.js'
import { holdValues } from './visibility-delay.js'
import { PIECE_SIZES, pieces } from './pieces.js'
import type {
  ClaimedRow,
  ClaimKey,
  ClaimRequest,
  GiveBack,
  NewMessage,
  QueueStatus,
  RemoveOutcome,
} from './dialect.js'

/** The present moment in epoch milliseconds, as SQLite tells it; one moment within a statement. */
export const NOW = "CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)"

/** What the partial index of claimable rows covers, word for word. */
export const READY = 'holder IS NULL AND due_ms IS NULL'

const PROMOTE_AT_ONCE = 1000

// Ids and claim numbers go in as one JSON text, so that a statement is prepared once for any number of them.
const IDS = '(SELECT value FROM json_each(?))'

const LOOK = `SELECT ${NOW},
  (SELECT min(due_ms) FROM {message} WHERE due_ms IS NOT NULL),
  (SELECT min(lease_until_ms) FROM {holder} WHERE id <> ?),
  EXISTS (SELECT 1 FROM {message} WHERE queue IN ${IDS} AND ${READY}),
  EXISTS (SELECT 1 FROM {holder} WHERE id = ?)`

const PROMOTE = `UPDATE {message} SET due_ms = NULL WHERE id IN (
  SELECT id FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE})`

// RETURNING would copy every row into a table of its own first; reading them by the holder's index is quicker.
const CLAIM = `UPDATE {message} SET holder = ?, claim = ?, deliveries = deliveries + 1
  WHERE id IN (SELECT id FROM {message} WHERE queue = ? AND ${READY} ORDER BY priority DESC, id LIMIT ?)`
const CLAIMED = `SELECT id, priority, deliveries, unspent, due, meta, body FROM {message}
  WHERE holder = ? AND claim = ? AND queue = ?`

const REMOVE = `DELETE FROM {message} WHERE holder = ? AND claim = ? AND id IN ${IDS}`
const REMOVE_HELD = `${REMOVE} RETURNING id`
const HELD = `SELECT id FROM {message} WHERE holder = ? AND claim = ? AND id IN ${IDS}`

const GIVE_BACK = `UPDATE {message} SET holder = NULL, claim = NULL, due_ms = ? + ? * ${NOW}, due = max(due, ?),
  unspent = unspent + ?, meta = coalesce(?, meta) WHERE id = ? AND holder = ? AND claim = ?`

const OPEN_HOLDER = `INSERT INTO {holder} (lease_until_ms, owner) VALUES (? + ${NOW}, ?) RETURNING id`
const RENEW_HOLDER = `UPDATE {holder} SET lease_until_ms = ? + ${NOW} WHERE id = ?`
// Renewing at each claim would write a second table each time; a tenth of the lease is exact enough.
const IS_STALE = `SELECT lease_until_ms < ? + ${NOW} FROM {holder} WHERE id = ?`

const FREE_UNSPENT =
  'UPDATE {message} SET holder = NULL, claim = NULL, unspent = unspent + 1 WHERE holder = ?'
const FREE = `UPDATE {message} SET holder = NULL, claim = NULL WHERE holder IN ${IDS}`
const DROP_HOLDERS = `DELETE FROM {holder} WHERE id IN ${IDS}`
const EXPIRED_HOLDERS = 'SELECT id FROM {holder} WHERE lease_until_ms <= ? AND id <> ?'

const INSERT_READY = inserts('(queue, priority, meta, body)', '(?,?,?,?)')
const INSERT_HELD = inserts('(queue, priority, meta, body, due_ms, due)', `(?,?,?,?,? + ? * ${NOW},1)`)

function inserts(columns: string, values: string): ReadonlyMap<number, string> {
  const text = (rows: number): string =>
    `INSERT INTO {message} ${columns} VALUES ${Array.from({ length: rows }, () => values).join(',')}`
  return new Map(PIECE_SIZES.map((rows) => [rows, text(rows)]))
}

/** One statement for up to a hundred rows; those to be held go in separately, with their due time computed by SQLite. See `SqlDialect.insert`. */
export async function insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void> {
  const ready = messages.filter(({ hold }) => hold === undefined)
  for (const piece of pieces(ready)) {
    const values: SqlValue[] = []
    for (const { queue, priority, meta, body } of piece) values.push(queue, priority, meta, body)
    await session.run(INSERT_READY.get(piece.length) ?? '', values)
  }
  if (ready.length === messages.length) return
  for (const piece of pieces(messages.filter(({ hold }) => hold !== undefined))) {
    const values = piece.flatMap(({ queue, priority, meta, body, hold }): SqlValue[] => [
      queue,
      priority,
      meta,
      body,
      ...holdValues(hold),
    ])
    await session.run(INSERT_HELD.get(piece.length) ?? '', values)
  }
}

/** Four small index reads in one statement, without a lock. See `SqlDialect.look`. */
export async function look(
  session: SqlSession,
  queues: readonly string[],
  holder: number,
): Promise<QueueStatus> {
  const [row = []] = await session.all(LOOK, [holder, JSON.stringify(queues), holder])
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
  const [row] = await session.all(`SELECT count(*) FROM {message} WHERE queue = ? AND ${READY}`, [queue])
  return Number(row?.[0])
}

/** Takes the oldest thousand of the due ones at once. See `SqlDialect.promote`. */
export async function promote(session: SqlSession): Promise<number> {
  return session.run(PROMOTE)
}

/** Marks the batch in one statement, then reads it by the holder's index. See `SqlDialect.claim`. */
export async function claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
  const { holder, claim: number, queue, max } = request
  if ((await session.run(CLAIM, [holder, number, queue, max])) === 0) return []
  const rows = (await session.all(CLAIMED, [holder, number, queue])).map((row) => claimedRow(row, number))
  return rows.sort((one, other) => other.priority - one.priority || one.id - other.id)
}

/** One delete for each claim number in the batch; only the count is looked at. See `SqlDialect.remove`. */
export async function remove(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<RemoveOutcome> {
  let removed = 0
  for (const [number, ids] of byClaim(claims)) {
    removed += await session.run(REMOVE, [holder, number, JSON.stringify(ids)])
  }
  return removed === claims.length ? 'all' : 'some-lost'
}

/** Deletes with RETURNING, and names what was not there. See `SqlDialect.removeHeld`. */
export async function removeHeld(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, async (number, ids) =>
    session.all(REMOVE_HELD, [holder, number, JSON.stringify(ids)]),
  )
}

/** Reads which of the claimed rows are still this holder's. See `SqlDialect.lost`. */
export async function lost(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, async (number, ids) => session.all(HELD, [holder, number, JSON.stringify(ids)]))
}

/** One update; the row keeps its place in the order of ids. See `SqlDialect.giveBack`. */
export async function giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean> {
  const [base, times] = holdValues(item.hold)
  const due = item.hold !== undefined && 'atMs' in item.hold ? 1 : 0
  const parameters = [base, times, due, item.unspent ? 1 : 0, item.meta ?? null, item.id, holder, item.claim]
  return (await session.run(GIVE_BACK, parameters)) === 1
}

/** AUTOINCREMENT keeps ids unique for good. See `SqlDialect.openHolder`. */
export async function openHolder(session: SqlSession, leaseMs: number, owner: string): Promise<number> {
  const [row] = await session.all(OPEN_HOLDER, [leaseMs, owner])
  return Number(row?.[0])
}

/** One row, whatever number of claims the holder has. See `SqlDialect.renewHolder`. */
export async function renewHolder(session: SqlSession, holder: number, leaseMs: number): Promise<boolean> {
  return (await session.run(RENEW_HOLDER, [leaseMs, holder])) === 1
}

/** Writes nothing while at least nine tenths of the lease are left. See `SqlDialect.keepHolder`. */
export async function keepHolder(session: SqlSession, holder: number, leaseMs: number): Promise<boolean> {
  const [row] = await session.all(IS_STALE, [Math.round(leaseMs * 0.9), holder])
  if (row?.[0] === 1) await session.run(RENEW_HOLDER, [leaseMs, holder])
  return row !== undefined
}

/** Gives every claim of the holder back unspent, in one statement. See `SqlDialect.closeHolder`. */
export async function closeHolder(session: SqlSession, holder: number): Promise<void> {
  await session.run(FREE_UNSPENT, [holder])
  await session.run(DROP_HOLDERS, [JSON.stringify([holder])])
}

/** Frees by the list of ended holders, read first so that both statements mean the same ones. See `SqlDialect.reap`. */
export async function reap(session: SqlSession, except: number, endedBeforeMs: number): Promise<number> {
  const expired = (await session.all(EXPIRED_HOLDERS, [endedBeforeMs, except])).map(([id]) => id)
  if (expired.length === 0) return 0
  const ids = JSON.stringify(expired)
  const freed = await session.run(FREE, [ids])
  await session.run(DROP_HOLDERS, [ids])
  return freed
}

/** SQLite's clock, in milliseconds. See `SqlDialect.now`. */
export async function now(session: SqlSession): Promise<number> {
  const [row] = await session.all(`SELECT ${NOW}`)
  return Number(row?.[0])
}
