import type { SqlRow, SqlSession, SqlValue } from '../sql-session.js'
import type { ResultDialect, ResultRow } from './dialect.js'
import { piecesOf, severalRows } from './pieces.js'
import { onFound } from './fragments.js'
import type { FoundChange, Fragments } from './fragments.js'

/** What of the statements for results is not the same everywhere. */
export interface ResultFragments extends Fragments {
  /** `date_done` as the text that Celery has for it in SQLite. */
  readonly dateText: string
  /** An expression that changes whenever the row does. Unfinished rows change without a date: then by their result. */
  readonly mark: string
  /** Deletes up to `$limit` rows of a table that have expired. Several cleaners at once take different rows. */
  readonly dropExpired: (table: string) => FoundChange
  /** Store rows; each task is among them once. A row that is a SUCCESS stays, unless it has expired. */
  upsert(session: SqlSession, rows: readonly ResultRow[], ttlMs: number): Promise<void>
}

/** The result tables of one database: the same steps everywhere, by its own statements. */
export function resultDialect(fragments: ResultFragments): ResultDialect {
  const { now, among, dateText } = fragments
  const columns = RESULT_COLUMNS.map((column) => (column === 'date_done' ? dateText : column)).join(', ')
  const isWanted = among('task_id')
  const load = `SELECT ${columns} FROM {taskmeta} WHERE ${isWanted} AND ${notExpired(now)}`
  const marks = `SELECT task_id, ${fragments.mark} FROM {taskmeta} WHERE ${isWanted}`
  return {
    async upsert(session, rows, ttlMs): Promise<void> {
      for (const wave of inWaves(rows)) await fragments.upsert(session, wave, ttlMs)
      session.announce()
    },

    async load(session, ids) {
      return (await session.all(load, { ids })).map(resultRow)
    },

    async marks(session, ids) {
      const rows = await session.all(marks, { ids })
      return rows.map(([taskId, mark]) => ({ taskId: String(taskId), mark: String(mark) }))
    },

    /** Rows written by Celery have no time to expire at and are left to its own cleanup. */
    async dropExpired(session, limit): Promise<number> {
      let dropped = 0
      for (const table of ['{taskmeta}', '{tasksetmeta}']) {
        dropped += await onFound(session, fragments.dropExpired(table), { limit })
      }
      return dropped
    },
  }
}

function notExpired(now: string): string {
  return `(lovage_expires_ms IS NULL OR lovage_expires_ms > ${now})`
}

/** How an upsert of several rows with their values in the statement is written. */
export interface ValuesUpsert {
  readonly now: string
  /** What follows the values. */
  readonly onConflict: string
  /** Most bytes of a statement of several rows. */
  readonly mostBytes: number
  /** Whether texts are cut that are longer than their column. */
  readonly cuts: boolean
}

/** An upsert of up to a hundred rows a statement; its condition keeps a SUCCESS. */
export function upsertOfValues({
  now,
  onConflict,
  mostBytes,
  cuts,
}: ValuesUpsert): ResultFragments['upsert'] {
  const statement = severalRows(
    `INSERT INTO {taskmeta} (${RESULT_COLUMNS.join(', ')}, lovage_expires_ms)`,
    `(${RESULT_COLUMNS.map(() => '?').join(',')}, ? + ${now})`,
    onConflict,
  )
  return async (session, rows, ttlMs) => {
    const ttl = ttlMs > 0 ? Math.round(ttlMs) : null
    for (const piece of piecesOf(rows, sizeOf, mostBytes)) {
      const values = piece.flatMap((row): SqlValue[] => [...rowValues(cuts ? fitted(row) : row), ttl])
      await session.run(statement(piece.length), values)
    }
  }
}

function sizeOf({ result, traceback }: ResultRow): number {
  return (result instanceof Uint8Array ? result.length : 0) + (traceback?.length ?? 0)
}

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

/**
 * Rows in groups that hold each task once, in the order they came: one statement may not write a row twice. Within a group
 * they are in the order of ids, so that two writers of the same tasks do not wait for each other.
 */
function inWaves(rows: readonly ResultRow[]): readonly (readonly ResultRow[])[] {
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
