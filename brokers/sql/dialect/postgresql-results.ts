import type { Session, SqlValue } from '../session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { NOW, textArray } from './postgresql-queue.js'
import { fitted, inWaves, RESULT_COLUMNS, resultRow, rowValues } from './result-row.js'

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const DATE_TEXT = "to_char(date_done, 'YYYY-MM-DD HH24:MI:SS.US')"

const READ = RESULT_COLUMNS.map((column) => (column === 'date_done' ? DATE_TEXT : column)).join(', ')
const LOAD = `SELECT ${READ} FROM {taskmeta} WHERE task_id = ANY ($1::text[]) AND ${NOT_EXPIRED}`
// Unfinished rows change without a date; their result is then what tells one state from the next.
const MARK = `SELECT task_id, status || coalesce(${DATE_TEXT}, md5(result), '') FROM {taskmeta} WHERE task_id = ANY ($1::text[])`

const TYPES: ReadonlyMap<string, string> = new Map([
  ['date_done', 'timestamp'],
  ['retries', 'integer'],
  ...['result', 'children', 'args', 'kwargs', 'stamps'].map((column): [string, string] => [column, 'bytea']),
])
const ARRAYS = RESULT_COLUMNS.map((column, index) => `$${index + 2}::${TYPES.get(column) ?? 'text'}[]`)

// One text for any number of rows, a list for each column. A list that is too short is filled up with NULL.
const UPSERT = `INSERT INTO {taskmeta} AS kept (${RESULT_COLUMNS.join(', ')}, lovage_expires_ms)
  SELECT *, $1::bigint + ${NOW} FROM unnest(${ARRAYS.join(', ')})
  ON CONFLICT (task_id) DO UPDATE SET
    ${[...RESULT_COLUMNS.slice(1), 'lovage_expires_ms'].map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE kept.status IS DISTINCT FROM 'SUCCESS' OR kept.lovage_expires_ms <= ${NOW}`

/** One upsert, whatever number of rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: Session,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
  for (const wave of inWaves(rows)) {
    const values = wave.map((row) => rowValues(fitted(row)))
    await session.run(UPSERT, [ttl, ...RESULT_COLUMNS.map((_, column) => columnArray(values, column))])
  }
  session.announce()
}

/** One column of every row as the text of an array; the empty one where every value is NULL. */
function columnArray(rows: readonly (readonly SqlValue[])[], column: number): string {
  if (rows.every((row) => row[column] === null)) return '{}'
  return `{${rows.map((row) => element(row[column])).join(',')}}`
}

function element(value: SqlValue | undefined): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `"${value.replaceAll(/["\\]/g, '\\$&')}"`
  return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`
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
