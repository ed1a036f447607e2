import type { SqlSession } from '../sql-session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { NOW } from './postgresql-insert.js'
import { textArray } from './postgresql-queue.js'
import { resultRows, resultValues, upsertFrom } from './postgresql-settle.js'
import { inWaves, RESULT_COLUMNS, resultRow } from './result-row.js'

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const DATE_TEXT = "to_char(date_done, 'YYYY-MM-DD HH24:MI:SS.US')"

const READ = RESULT_COLUMNS.map((column) => (column === 'date_done' ? DATE_TEXT : column)).join(', ')
const LOAD = `SELECT ${READ} FROM {taskmeta} WHERE task_id = ANY ($1::text[]) AND ${NOT_EXPIRED}`
// Unfinished rows change without a date; their result is then what tells one state from the next.
const MARK = `SELECT task_id, status || coalesce(${DATE_TEXT}, md5(result), '') FROM {taskmeta} WHERE task_id = ANY ($1::text[])`

const UPSERT = upsertFrom(resultRows(1))

/** One upsert, whatever number of rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: SqlSession,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  for (const wave of inWaves(rows)) {
    await session.run(UPSERT, resultValues(wave.map((row) => ({ row, ttlMs }))))
  }
  session.announce()
}

/** Reads by the unique key, leaving out what has expired. See `SqlDialect.loadResults`. */
export async function loadResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultRow[]> {
  return (await session.all(LOAD, [textArray(taskIds)])).map(resultRow)
}

/** Reads status and date, or status and value of a row that is not final. See `SqlDialect.markResults`. */
export async function markResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultMark[]> {
  const rows = await session.all(MARK, [textArray(taskIds)])
  return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
}

/** Several cleaners at once take different rows; rows written by Celery are left to its own cleanup. See `SqlDialect.dropExpired`. */
export async function dropExpired(session: SqlSession, limit: number): Promise<number> {
  let dropped = 0
  for (const table of ['{taskmeta}', '{tasksetmeta}']) {
    const expired = `SELECT ctid FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT $1 FOR UPDATE SKIP LOCKED`
    dropped += await session.run(`DELETE FROM ${table} WHERE ctid = ANY (ARRAY(${expired}))`, [limit])
  }
  return dropped
}
