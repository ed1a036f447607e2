import type { SqlRow, SqlSession } from '../sql-session.js'
import { bareName, withNames } from '../table-names.js'
import type { TableNames } from '../table-names.js'
import type { Migration, SchemaDialect } from './dialect.js'

/** The types of columns that differ between databases. */
export interface ColumnTypes {
  readonly bytes: string
  readonly date: string
  readonly text: string
  readonly moment: string
}

/** One of Celery's result tables, as 5.7 makes it; the columns that begin with `lovage_` are ours. */
export interface CeleryTable {
  readonly name: string
  /** Sequence of its ids, on databases that have sequences. */
  readonly sequence: string
  /** The unique column. */
  readonly key: string
  /** Columns beside `id` and the key, by type. */
  readonly columns: Readonly<Record<string, string>>
}

/** What of a result table is not there. */
export interface Lack {
  /** Columns of {@link CeleryTable.columns}. */
  readonly columns: readonly string[]
  /** A default for the ids; Celery's own tables leave them to the writer where there are sequences. */
  readonly ids: boolean
}

/** What of the schema is not the same everywhere. */
export interface SchemaFragments {
  readonly types: ColumnTypes
  /** Around a name. */
  readonly quote: string
  /** Statements of the broker's migrations by name, in order; what was released stays as it is. */
  brokerTables(names: TableNames): Readonly<Record<string, readonly string[]>>
  /** Columns of a table by name, and 1 for those that have a value by default; none when there is no such table. */
  columnsOf(session: SqlSession, table: string): Promise<readonly SqlRow[]>
  /** Whether ids come from sequences, which the statements for result tables need to know; absent where it is known. */
  hasSequences?(session: SqlSession): Promise<boolean>
  created(table: CeleryTable, names: TableNames, hasSequences: boolean): readonly string[]
  extended(table: CeleryTable, lack: Lack): readonly string[]
}

/** The schema of one database: the same steps everywhere, by its own statements. */
export function schemaDialect(
  fragments: SchemaFragments,
): Pick<SchemaDialect, 'brokerMigrations' | 'resultsAreCurrent' | 'resultMigrations' | 'hasTable'> {
  async function lackOf(session: SqlSession, table: CeleryTable): Promise<Lack | 'table'> {
    const present = await fragments.columnsOf(session, table.name)
    if (present.length === 0) return 'table'
    const found = new Set(present.map(([column]) => column))
    return {
      columns: Object.keys(table.columns).filter((column) => !found.has(column)),
      ids: !present.some(([column, hasDefault]) => column === 'id' && hasDefault === 1),
    }
  }

  async function resultMigrations(session: SqlSession, names: TableNames): Promise<readonly Migration[]> {
    const hasSequences = (await fragments.hasSequences?.(session)) ?? false
    const steps: Migration[] = []
    for (const table of celeryTables(names, fragments.types)) {
      const name = bareName(table.name)
      const lack = await lackOf(session, table)
      if (lack === 'table') {
        steps.push({ name: `create ${name}`, statements: fragments.created(table, names, hasSequences) })
      } else if (lack.columns.length > 0 || lack.ids) {
        const what = lack.columns.length > 0 ? lack.columns.join(', ') : 'default of id'
        steps.push({ name: `extend ${name}: ${what}`, statements: fragments.extended(table, lack) })
      }
    }
    return steps
  }

  return {
    brokerMigrations: (names) =>
      Object.entries(fragments.brokerTables(names)).map(([name, templates]) => ({
        name,
        statements: templates.map((template) => withNames(template, names, fragments.quote)),
      })),
    resultMigrations,
    async resultsAreCurrent(session, names): Promise<boolean> {
      for (const table of celeryTables(names, fragments.types)) {
        const lack = await lackOf(session, table)
        if (lack === 'table' || lack.columns.length > 0 || lack.ids) return false
      }
      return true
    },
    async hasTable(session, table): Promise<boolean> {
      return (await fragments.columnsOf(session, table)).length > 0
    },
  }
}

/**
 * Both result tables.
 *
 * @source Celery 5.7, `celery/backends/database/models.py` and `session.py`.
 */
function celeryTables(names: TableNames, { bytes, date, text, moment }: ColumnTypes): readonly CeleryTable[] {
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
        ...{ lovage_group_id: short, lovage_parent_id: short, lovage_expires_ms: moment },
      },
    },
    {
      name: names.tasksetmeta,
      sequence: names.tasksetIds,
      key: 'taskset_id',
      columns: { result: bytes, date_done: date, lovage_expires_ms: moment },
    },
  ]
}
