import type { SqlSession, SqlValue } from '../sql-session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { NOW } from './mysql-queue.js'
import { piecesOf } from './pieces.js'
import { fitted, inWaves, RESULT_COLUMNS, resultRow, rowValues } from './result-row.js'

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const DATE_TEXT = "DATE_FORMAT(date_done, '%Y-%m-%d %H:%i:%s.%f')"
const READ = RESULT_COLUMNS.map((column) => (column === 'date_done' ? DATE_TEXT : column)).join(', ')

// Assignments are made from left to right and each sees those before it, so the columns of the condition come last. The
// expiry goes with a row that now is the new one, as far as its columns tell.
const REPLACED = `(status <> 'SUCCESS' OR coalesce(lovage_expires_ms <= ${NOW}, 0))`
const IS_NEW = 'status = VALUES(status) AND date_done <=> VALUES(date_done) AND result <=> VALUES(result)'
const UPDATES = [
  ...RESULT_COLUMNS.filter((column) => column !== 'task_id' && column !== 'status').map((column) =>
    assigned(column, REPLACED),
  ),
  assigned('status', REPLACED),
  assigned('lovage_expires_ms', IS_NEW),
].join(', ')

function assigned(column: string, condition: string): string {
  return `${column} = IF(${condition}, VALUES(${column}), ${column})`
}

function upsert(rows: number): string {
  const values = `(${RESULT_COLUMNS.map(() => '?').join(',')}, ? + ${NOW})`
  return `INSERT INTO {taskmeta} (${RESULT_COLUMNS.join(', ')}, lovage_expires_ms)
    VALUES ${Array.from({ length: rows }, () => values).join(',')} ON DUPLICATE KEY UPDATE ${UPDATES}`
}

/** One upsert for up to a hundred rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: SqlSession,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
  for (const wave of inWaves(rows)) {
    for (const piece of piecesOf(wave, sizeOf)) {
      const values = piece.flatMap((row): SqlValue[] => [...rowValues(fitted(row)), ttl])
      await session.run(upsert(piece.length), values)
    }
  }
}

function sizeOf({ result, traceback }: ResultRow): number {
  return (result instanceof Uint8Array ? result.length : 0) + (traceback?.length ?? 0)
}

/** Reads by the unique key, leaving out what has expired. See `SqlDialect.loadResults`. */
export async function loadResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultRow[]> {
  if (taskIds.length === 0) return []
  const sql = `SELECT ${READ} FROM {taskmeta} WHERE task_id IN (${marks(taskIds)}) AND ${NOT_EXPIRED}`
  return (await session.all(sql, taskIds)).map(resultRow)
}

/** Reads status and date, or status and value of a row that is not final. See `SqlDialect.markResults`. */
export async function markResults(
  session: SqlSession,
  taskIds: readonly string[],
): Promise<readonly ResultMark[]> {
  if (taskIds.length === 0) return []
  // Unfinished rows change without a date; their result is then what tells one state from the next.
  const sql = `SELECT task_id, concat(status, coalesce(${DATE_TEXT}, md5(result), '')) FROM {taskmeta}
    WHERE task_id IN (${marks(taskIds)})`
  const rows = await session.all(sql, taskIds)
  return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
}

function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(',')
}

/** Several cleaners at once take different rows; rows written by Celery are left to its own cleanup. See `SqlDialect.dropExpired`. */
export async function dropExpired(session: SqlSession, limit: number): Promise<number> {
  let dropped = 0
  for (const table of ['{taskmeta}', '{tasksetmeta}']) {
    const expired = await session.all(
      `SELECT id FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT ? FOR UPDATE SKIP LOCKED`,
      [limit],
    )
    if (expired.length === 0) continue
    const ids = expired.map(([id]) => Number(id)).join(',')
    dropped += await session.run(`DELETE FROM ${table} WHERE id IN (${ids})`)
  }
  return dropped
}
