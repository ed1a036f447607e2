import type { SqlRow, SqlValue } from '../sql-session.js'
import type { ResultRow } from './dialect.js'

/** Columns of `celery_taskmeta` that are written and read, in this order everywhere. */
export const RESULT_COLUMNS: readonly string[] = [
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
]

/** Values in the order of {@link RESULT_COLUMNS}. */
export function rowValues(row: ResultRow): SqlValue[] {
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

/** A row of {@link RESULT_COLUMNS}. */
export function resultRow(row: SqlRow): ResultRow {
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

/**
 * Rows in groups that hold each task once, in the order they came: one statement may not write a row twice. Within a group
 * they are in the order of ids, so that two writers of the same tasks do not wait for each other.
 */
export function inWaves(rows: readonly ResultRow[]): readonly (readonly ResultRow[])[] {
  const waves: Map<string, ResultRow>[] = []
  for (const row of rows) {
    const free = waves.find((wave) => !wave.has(row.taskId))
    if (free === undefined) waves.push(new Map([[row.taskId, row]]))
    else free.set(row.taskId, row)
  }
  return waves.map((wave) => [...wave.values()].sort((one, other) => (one.taskId < other.taskId ? -1 : 1)))
}

/** Celery's columns of names and ids are VARCHAR(155), and a server refuses what is longer. */
export const LONGEST = 155

/** The row with the texts cut that only describe the task. */
export function fitted(row: ResultRow): ResultRow {
  const { name, worker, queue } = row
  if (Math.max(name?.length ?? 0, worker?.length ?? 0, queue?.length ?? 0) <= LONGEST) return row
  const cut = (text: string | null): string | null => text?.slice(0, LONGEST) ?? null
  return { ...row, name: cut(name), worker: cut(worker), queue: cut(queue) }
}
