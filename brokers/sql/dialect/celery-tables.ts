import type { TableNames } from '../table-names.js'

/** The types of columns that differ between databases. */
export interface ColumnTypes {
  readonly bytes: string
  readonly date: string
  readonly text: string
}

/** One of Celery's result tables on a server, as 5.7 makes it; the columns that begin with `lovage_` are ours. */
export interface CeleryTable {
  readonly name: string
  /** Sequence of its ids, on databases that have sequences. */
  readonly sequence: string
  /** The unique column. */
  readonly key: string
  /** Columns beside `id` and the key, by type. */
  readonly columns: Readonly<Record<string, string>>
}

/**
 * Both result tables.
 *
 * @source Celery 5.7, `celery/backends/database/models.py` and `session.py`.
 */
export function celeryTables(names: TableNames, { bytes, date, text }: ColumnTypes): readonly CeleryTable[] {
  const short = 'VARCHAR(155)'
  const status = 'VARCHAR(50)'
  return [
    {
      name: names.taskmeta,
      sequence: names.taskIds,
      key: 'task_id',
      columns: {
        ...{ status, result: bytes, date_done: date, traceback: text, children: bytes, name: short },
        ...{ args: bytes, kwargs: bytes, worker: short, retries: 'INTEGER', queue: short, stamps: bytes },
        ...{ lovage_group_id: short, lovage_parent_id: short, lovage_expires_ms: 'BIGINT' },
      },
    },
    {
      name: names.tasksetmeta,
      sequence: names.tasksetIds,
      key: 'taskset_id',
      columns: { result: bytes, date_done: date, lovage_expires_ms: 'BIGINT' },
    },
  ]
}

/** What a table has of what it should have. */
export interface TableState {
  readonly exists: boolean
  /** Columns of {@link CeleryTable.columns} that are not there. */
  readonly missing: readonly string[]
  /** Whether a row gets an id by itself; Celery's own tables leave that to the writer where there are sequences. */
  readonly makesIds: boolean
}

/** The state of a table, from its columns: name, and whether the column has a default. */
export function tableState(
  table: CeleryTable,
  present: readonly { readonly column: string; readonly hasDefault: boolean }[],
): TableState {
  const found = new Set(present.map(({ column }) => column))
  return {
    exists: present.length > 0,
    missing: Object.keys(table.columns).filter((column) => !found.has(column)),
    makesIds: present.some(({ column, hasDefault }) => column === 'id' && hasDefault),
  }
}
