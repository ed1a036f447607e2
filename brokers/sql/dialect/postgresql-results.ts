import type { Session, SqlValue } from '../session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { pieces } from './pieces.js'
import { NOW, textArray } from './postgresql-queue.js'
import { fitted, inWaves, RESULT_COLUMNS, resultRow, rowValues } from './result-row.js'

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const DATE_TEXT = "to_char(date_done, 'YYYY-MM-DD HH24:MI:SS.US')"

const READ = RESULT_COLUMNS.map((column) => (column === 'date_done' ? DATE_TEXT : column)).join(', ')
const LOAD = `SELECT ${READ} FROM {taskmeta} WHERE task_id = ANY ($1::text[]) AND ${NOT_EXPIRED}`
// Unfinished rows change without a date; their result is then what tells one state from the next.
const MARK = `SELECT task_id, status || coalesce(${DATE_TEXT}, md5(result), '') FROM {taskmeta} WHERE task_id = ANY ($1::text[])`

const TYPES: ReadonlyMap<string, string> = new Map([
  ['date_done', '::timestamp'],
  ['retries', '::integer'],
  ...['result', 'children', 'args', 'kwargs', 'stamps'].map((column): [string, string] => [
    column,
    '::bytea',
  ]),
])
const WIDTH = RESULT_COLUMNS.length + 1
const upserts = new Map<number, string>()

function upsert(rows: number): string {
  const known = upserts.get(rows)
  if (known !== undefined) return known
  const columns = [...RESULT_COLUMNS, 'lovage_expires_ms']
  const values = Array.from({ length: rows }, (_, row) => valuesFrom(row * WIDTH + 1))
  const updates = columns.slice(1).map((column) => `${column} = excluded.${column}`)
  const text = `INSERT INTO {taskmeta} AS kept (${columns.join(', ')}) VALUES ${values.join(',')}
    ON CONFLICT (task_id) DO UPDATE SET ${updates.join(', ')}
    WHERE kept.status IS DISTINCT FROM 'SUCCESS' OR kept.lovage_expires_ms <= ${NOW}`
  upserts.set(rows, text)
  return text
}

function valuesFrom(first: number): string {
  const columns = RESULT_COLUMNS.map((column, index) => `$${first + index}${TYPES.get(column) ?? ''}`)
  return `(${columns.join(',')},$${first + WIDTH - 1}::bigint + ${NOW})`
}

/** One upsert for up to a hundred rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: Session,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
  for (const wave of inWaves(rows)) {
    for (const piece of pieces(wave)) {
      const values = piece.flatMap((row): SqlValue[] => [...rowValues(fitted(row)), ttl])
      await session.run(upsert(piece.length), values)
    }
  }
  session.announce()
}

/** Reads by the unique key, leaving out what has expired. See `SqlDialect.loadResults`. */
export async function loadResults(
  session: Session,
  taskIds: readonly string[],
): Promise<readonly ResultRow[]> {
  return (await session.all(LOAD, [textArray(taskIds)])).map(resultRow)
}

/** Reads status and date, or status and value of a row that is not final. See `SqlDialect.markResults`. */
export async function markResults(
  session: Session,
  taskIds: readonly string[],
): Promise<readonly ResultMark[]> {
  const rows = await session.all(MARK, [textArray(taskIds)])
  return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
}

/** Several cleaners at once take different rows; rows written by Celery are left to its own cleanup. See `SqlDialect.dropExpired`. */
export async function dropExpired(session: Session, limit: number): Promise<number> {
  let dropped = 0
  for (const table of ['{taskmeta}', '{tasksetmeta}']) {
    const expired = `SELECT ctid FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT $1 FOR UPDATE SKIP LOCKED`
    dropped += await session.run(`DELETE FROM ${table} WHERE ctid = ANY (ARRAY(${expired}))`, [limit])
  }
  return dropped
}
