import type { SqlSession, SqlValue } from '../sql-session.js'
import { byClaim, claimedRow, without } from './claims.js'
import { holdValues } from './visibility-delay.js'
import { piecesOf } from './pieces.js'
import type {
  ClaimedRow,
  ClaimKey,
  ClaimRequest,
  GiveBack,
  NewMessage,
  QueueStatus,
  RemoveOutcome,
} from './dialect.js'

/** The present moment in epoch milliseconds, as MySQL tells it; one moment within a statement. */
export const NOW = "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000)"

const PROMOTE_AT_ONCE = 1000

const LOOK = `SELECT ${NOW},
  (SELECT min(due_ms) FROM {message} WHERE due_ms IS NOT NULL),
  (SELECT min(lease_until_ms) FROM {holder} WHERE id <> ?),
  EXISTS (SELECT 1 FROM {holder} WHERE id = ?)`
const IS_READY = 'SELECT 1 FROM {message} WHERE queue = ? AND ready = 1 LIMIT 1'
const COUNT_READY = 'SELECT count(*) FROM {message} WHERE queue = ? AND ready = 1'

const DUE = `SELECT id FROM {message} WHERE due_ms <= ${NOW} ORDER BY due_ms LIMIT ${PROMOTE_AT_ONCE}
  FOR UPDATE SKIP LOCKED`

const READY_ROWS = `SELECT id, -\`rank\`, deliveries + 1, unspent, due, meta, body FROM {message}
  WHERE queue = ? AND ready = 1 ORDER BY \`rank\`, id LIMIT ? FOR UPDATE SKIP LOCKED`

const GIVE_BACK = `UPDATE {message} SET holder = NULL, claim = NULL, ready = ?, due_ms = ? + ? * ${NOW},
  due = greatest(due, ?), unspent = unspent + ?, meta = coalesce(?, meta)
  WHERE id = ? AND holder = ? AND claim = ?`

const OPEN_HOLDER = `INSERT INTO {holder} (lease_until_ms, owner) VALUES (? + ${NOW}, ?)`
const RENEW_HOLDER = `UPDATE {holder} SET lease_until_ms = ? + ${NOW} WHERE id = ?`
// Locked, so that nobody frees the holder's claims while it makes new ones.
const IS_STALE = `SELECT lease_until_ms < ? + ${NOW} FROM {holder} WHERE id = ? FOR UPDATE`
const EXPIRED_HOLDERS = 'SELECT id FROM {holder} WHERE lease_until_ms <= ? AND id <> ? FOR UPDATE SKIP LOCKED'

const FREE_UNSPENT =
  'UPDATE {message} SET holder = NULL, claim = NULL, ready = 1, unspent = unspent + 1 WHERE holder = ?'

const READY_COLUMNS = '(queue, `rank`, ready, meta, body)'
const HELD_COLUMNS = '(queue, `rank`, meta, body, due_ms, due)'

/** One statement for up to a hundred rows; those to be held go in separately. See `SqlDialect.insert`. */
export async function insert(session: SqlSession, messages: readonly NewMessage[]): Promise<void> {
  for (const piece of piecesOf(
    messages.filter(({ hold }) => hold === undefined),
    sizeOf,
  )) {
    const values = piece.flatMap(({ queue, priority, meta, body }): SqlValue[] => [
      queue,
      -priority,
      meta,
      body,
    ])
    await session.run(inserting(READY_COLUMNS, '(?,?,1,?,?)', piece.length), values)
  }
  for (const piece of piecesOf(
    messages.filter(({ hold }) => hold !== undefined),
    sizeOf,
  )) {
    const values = piece.flatMap(({ queue, priority, meta, body, hold }): SqlValue[] => [
      queue,
      -priority,
      meta,
      body,
      ...holdValues(hold),
    ])
    await session.run(inserting(HELD_COLUMNS, `(?,?,?,?,? + ? * ${NOW},1)`, piece.length), values)
  }
}

function sizeOf({ meta, body }: NewMessage): number {
  return meta.length + body.length
}

function inserting(columns: string, values: string, rows: number): string {
  return `INSERT INTO {message} ${columns} VALUES ${Array.from({ length: rows }, () => values).join(',')}`
}

/** Small index reads, without a lock; each queue has one of its own. See `SqlDialect.look`. */
export async function look(
  session: SqlSession,
  queues: readonly string[],
  holder: number,
): Promise<QueueStatus> {
  const [row = []] = await session.all(LOOK, [holder, holder])
  const [nowMs, dueMs, leaseEndMs, held] = row
  return {
    nowMs: Number(nowMs),
    ready: await isAnyReady(session, queues),
    nextDueMs: typeof dueMs === 'number' ? dueMs : undefined,
    nextLeaseEndMs: typeof leaseEndMs === 'number' ? leaseEndMs : undefined,
    held: held === 1,
  }
}

async function isAnyReady(session: SqlSession, queues: readonly string[]): Promise<boolean> {
  for (const queue of queues) {
    if ((await session.all(IS_READY, [queue])).length > 0) return true
  }
  return false
}

/** Counts in the index of claimable rows. See `SqlDialect.countReady`. */
export async function countReady(session: SqlSession, queue: string): Promise<number> {
  const [row] = await session.all(COUNT_READY, [queue])
  return Number(row?.[0])
}

/** Takes the oldest thousand of the due ones that nobody else promotes. See `SqlDialect.promote`. */
export async function promote(session: SqlSession): Promise<number> {
  const ids = idsOf(await session.all(DUE))
  if (ids.length === 0) return 0
  return session.run(`UPDATE {message} SET due_ms = NULL, ready = 1 WHERE id IN (${marks(ids)})`, ids)
}

/** Reads and locks the rows, skipping what others are claiming, then marks them. See `SqlDialect.claim`. */
export async function claim(session: SqlSession, request: ClaimRequest): Promise<readonly ClaimedRow[]> {
  const { queue, max, holder, claim: number } = request
  const rows = await session.all(READY_ROWS, [queue, max])
  const ids = idsOf(rows)
  if (ids.length === 0) return []
  await session.run(
    `UPDATE {message} SET holder = ?, claim = ?, ready = NULL, deliveries = deliveries + 1 WHERE id IN (${marks(ids)})`,
    [holder, number, ...ids],
  )
  return rows.map((row) => claimedRow(row, number))
}

function idsOf(rows: readonly (readonly SqlValue[])[]): readonly number[] {
  return rows.map(([id]) => Number(id))
}

// Not the numbers themselves: what is kept of each text would grow without end.
function marks(ids: readonly number[]): string {
  return ids.map(() => '?').join(',')
}

function held(ids: readonly number[]): string {
  return `FROM {message} WHERE holder = ? AND claim = ? AND id IN (${marks(ids)})`
}

/** One delete for each claim number in the batch; only the count is looked at. See `SqlDialect.remove`. */
export async function remove(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<RemoveOutcome> {
  let removed = 0
  for (const [number, ids] of byClaim(claims)) {
    removed += await session.run(`DELETE ${held(ids)}`, [holder, number, ...ids])
  }
  return removed === claims.length ? 'all' : 'some-lost'
}

/** Locks what is there, names what is not, and deletes. See `SqlDialect.removeHeld`. */
export async function removeHeld(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, async (number, ids) => {
    const found = await session.all(`SELECT id ${held(ids)} FOR UPDATE`, [holder, number, ...ids])
    await session.run(`DELETE ${held(ids)}`, [holder, number, ...ids])
    return found
  })
}

/** Reads which of the claimed rows are still this holder's. See `SqlDialect.lost`. */
export async function lost(
  session: SqlSession,
  holder: number,
  claims: readonly ClaimKey[],
): Promise<readonly ClaimKey[]> {
  return without(claims, (number, ids) => session.all(`SELECT id ${held(ids)}`, [holder, number, ...ids]))
}

/** One update; the row keeps its place in the order of ids. See `SqlDialect.giveBack`. */
export async function giveBack(session: SqlSession, holder: number, item: GiveBack): Promise<boolean> {
  const { hold, unspent, meta = null, id, claim: number } = item
  const due = hold !== undefined && 'atMs' in hold ? 1 : 0
  const ready = hold === undefined ? 1 : null
  const parameters = [ready, ...holdValues(hold), due, unspent ? 1 : 0, meta, id, holder, number]
  return (await session.run(GIVE_BACK, parameters)) === 1
}

/** The id is asked for on the same connection. See `SqlDialect.openHolder`. */
export async function openHolder(session: SqlSession, leaseMs: number, owner: string): Promise<number> {
  await session.run(OPEN_HOLDER, [leaseMs, owner])
  const [row] = await session.all('SELECT LAST_INSERT_ID()')
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
  await session.run(FREE_UNSPENT, [holder])
  await session.run('DELETE FROM {holder} WHERE id = ?', [holder])
}

/** Leaves out holders that are claiming at this moment. See `SqlDialect.reap`. */
export async function reap(session: SqlSession, except: number, endedBeforeMs: number): Promise<number> {
  const ids = idsOf(await session.all(EXPIRED_HOLDERS, [endedBeforeMs, except]))
  if (ids.length === 0) return 0
  const freed = await session.run(
    `UPDATE {message} SET holder = NULL, claim = NULL, ready = 1 WHERE holder IN (${marks(ids)})`,
    ids,
  )
  await session.run(`DELETE FROM {holder} WHERE id IN (${marks(ids)})`, ids)
  return freed
}

/** MySQL's clock, in milliseconds. See `SqlDialect.now`. */
export async function now(session: SqlSession): Promise<number> {
  const [row] = await session.all(`SELECT ${NOW}`)
  return Number(row?.[0])
}
