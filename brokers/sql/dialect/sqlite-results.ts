import type { SqlSession, SqlValue } from '../sql-session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { pieces } from './pieces.js'
import { RESULT_COLUMNS, resultRow, rowValues } from './result-row.js'
import { NOW } from './sqlite-queue.js'

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const IDS = '(SELECT value FROM json_each(?))'

const LOAD = `SELECT ${RESULT_COLUMNS.join(', ')} FROM celery_taskmeta WHERE task_id IN ${IDS} AND ${NOT_EXPIRED}`
// Unfinished rows change without a date; their result is then what tells one state from the next.
const MARK = `SELECT task_id, status || coalesce(date_done, hex(result)) FROM celery_taskmeta WHERE task_id IN ${IDS}`

const upserts = new Map<number, string>()

function upsert(rows: number): string {
  const known = upserts.get(rows)
  if (known !== undefined) return known
  const values = `(${RESULT_COLUMNS.map(() => '?').join(',')}, ? + ${NOW})`
  const updates = [...RESULT_COLUMNS.slice(1), 'lovage_expires_ms'].map(
    (column) => `${column} = excluded.${column}`,
  )
  const text = `INSERT INTO celery_taskmeta (${RESULT_COLUMNS.join(', ')}, lovage_expires_ms)
    VALUES ${Array.from({ length: rows }, () => values).join(',')}
    ON CONFLICT (task_id) DO UPDATE SET ${updates.join(', ')} WHERE celery_taskmeta.status <> 'SUCCESS' OR celery_taskmeta.lovage_expires_ms <= ${NOW}`
  upserts.set(rows, text)
  return text
}

/** One upsert for up to a hundred rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: SqlSession,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
  for (const piece of pieces(rows)) {
    const values = piece.flatMap((row): SqlValue[] => [...rowValues(row), ttl])
    await session.run(upsert(piece.length), values)
  }
}

/** Reads by the unique key, leaving out what has expired. See `SqlDialect.loadResults`. */
export async function loadResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultRow[]> {
  return (await session.all(LOAD, [JSON.stringify(taskIds)])).map(resultRow)
}

/** Reads status and date, or status and value of a row that is not final. See `SqlDialect.markResults`. */
export async function markResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultMark[]> {
  const rows = await session.all(MARK, [JSON.stringify(taskIds)])
  return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
}

/** Deletes rows whose time, stored by Lovage, is over; rows written by Celery have none and are left to its own cleanup. See `SqlDialect.dropExpired`. */
export async function dropExpired(session: SqlSession, limit: number): Promise<number> {
  let dropped = 0
  for (const table of ['celery_taskmeta', 'celery_tasksetmeta']) {
    const expired = `SELECT id FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT ?`
    dropped += await session.run(`DELETE FROM ${table} WHERE id IN (${expired})`, [limit])
  }
  return dropped
}
