import type { Session, SqlRow, SqlValue } from '../session.js'
import type { ResultMark, ResultRow } from './dialect.js'
import { NOW, pieces } from './sqlite-queue.js'

const COLUMNS = [
  'task_id',
  'status',
  'result',
  'date_done',
  'traceback',
  'children',
  'name',
  'args',
  'kwargs',
  'worker',
  'retries',
  'queue',
  'stamps',
  'lovage_group_id',
  'lovage_parent_id',
] as const

const NOT_EXPIRED = `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${NOW})`
const IDS = '(SELECT value FROM json_each(?))'

const LOAD = `SELECT ${COLUMNS.join(', ')} FROM celery_taskmeta WHERE task_id IN ${IDS} AND ${NOT_EXPIRED}`
// Unfinished rows change without a date; their result is then what tells one state from the next.
const MARK = `SELECT task_id, status || coalesce(date_done, hex(result)) FROM celery_taskmeta WHERE task_id IN ${IDS}`

const upserts = new Map<number, string>()

function upsert(rows: number): string {
  const known = upserts.get(rows)
  if (known !== undefined) return known
  const values = `(${COLUMNS.map(() => '?').join(',')}, ? + ${NOW})`
  const updates = [...COLUMNS.slice(1), 'lovage_expires_ms'].map((column) => `${column} = excluded.${column}`)
  const text = `INSERT INTO celery_taskmeta (${COLUMNS.join(', ')}, lovage_expires_ms)
    VALUES ${Array.from({ length: rows }, () => values).join(',')}
    ON CONFLICT (task_id) DO UPDATE SET ${updates.join(', ')} WHERE celery_taskmeta.status <> 'SUCCESS' OR celery_taskmeta.lovage_expires_ms <= ${NOW}`
  upserts.set(rows, text)
  return text
}

/** One upsert for up to a hundred rows; its condition keeps a SUCCESS. See `SqlDialect.upsertResults`. */
export async function upsertResults(
  session: Session,
  rows: readonly ResultRow[],
  ttlMs: number,
): Promise<void> {
  const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
  for (const piece of pieces(rows)) {
    const values = piece.flatMap((row): SqlValue[] => [...rowValues(row), ttl])
    await session.run(upsert(piece.length), values)
  }
}

function rowValues(row: ResultRow): SqlValue[] {
  return [
    row.taskId,
    row.status,
    row.result,
    row.dateDone,
    row.traceback,
    row.children,
    row.name,
    row.args,
    row.kwargs,
    row.worker,
    row.retries,
    row.queue,
    row.stamps,
    row.groupId,
    row.parentId,
  ]
}

/** Reads by the unique key, leaving out what has expired. See `SqlDialect.loadResults`. */
export async function loadResults(
  session: Session,
  taskIds: readonly string[],
): Promise<readonly ResultRow[]> {
  return (await session.all(LOAD, [JSON.stringify(taskIds)])).map(resultRow)
}

function resultRow(row: SqlRow): ResultRow {
  const [
    taskId,
    status,
    result,
    dateDone,
    traceback,
    children,
    name,
    args,
    kwargs,
    worker,
    retries,
    ...rest
  ] = row
  const [queue, stamps, groupId, parentId] = rest
  return {
    taskId: String(taskId),
    status: String(status),
    result: result ?? null,
    dateDone: text(dateDone),
    traceback: text(traceback),
    children: children ?? null,
    name: text(name),
    args: args ?? null,
    kwargs: kwargs ?? null,
    worker: text(worker),
    retries: typeof retries === 'number' ? retries : null,
    queue: text(queue),
    stamps: stamps ?? null,
    groupId: text(groupId),
    parentId: text(parentId),
  }
}

function text(value: SqlValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** Reads status and date, or status and value of a row that is not final. See `SqlDialect.markResults`. */
export async function markResults(
  session: Session,
  taskIds: readonly string[],
): Promise<readonly ResultMark[]> {
  const rows = await session.all(MARK, [JSON.stringify(taskIds)])
  return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
}

/** Deletes rows whose time, stored by Lovage, is over; rows written by Celery have none and are left to its own cleanup. See `SqlDialect.dropExpired`. */
export async function dropExpired(session: Session, limit: number): Promise<number> {
  let dropped = 0
  for (const table of ['celery_taskmeta', 'celery_tasksetmeta']) {
    const expired = `SELECT id FROM ${table} WHERE lovage_expires_ms <= ${NOW} LIMIT ?`
    dropped += await session.run(`DELETE FROM ${table} WHERE id IN (${expired})`, [limit])
  }
  return dropped
}
