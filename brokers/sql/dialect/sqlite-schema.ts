import type { Knex } from 'knex'
import type { SqlSession } from '../sql-session.js'
import type { TableNames } from '../table-names.js'
import type { Migration } from './dialect.js'
import { READY } from './sqlite-queue.js'

/** In order; what was released stays as it is. See `SqlDialect.brokerMigrations`. */
export const brokerMigrations: readonly string[] = ['001-queue', '002-broadcast', '003-beat']

/** Built by knex, but for the partial indexes, which it cannot express. See `SqlDialect.brokerSchema`. */
export function brokerSchema(knex: Knex, names: TableNames): readonly Migration[] {
  return [
    { name: '001-queue', statements: queueTables(knex, names) },
    {
      name: '002-broadcast',
      statements: created(knex, names.broadcast, (table) => {
        // Ids are never given out twice, so that a listener can go on from the last one it read.
        table.increments('id')
        table.integer('sent_ms').notNullable()
        table.text('meta').notNullable()
        table.binary('body').notNullable()
      }),
    },
    { name: '003-beat', statements: beatTables(knex, names) },
  ]
}

function beatTables(knex: Knex, { beat, beatEntry, beatOccurrence }: TableNames): readonly string[] {
  return [
    ...created(knex, beat, (table) => {
      table.integer('one').notNullable().primary()
      table.text('candidate').notNullable()
      table.integer('lease_until_ms').notNullable()
      table.integer('revision').notNullable()
    }),
    `INSERT INTO ${beat} (one, candidate, lease_until_ms, revision) VALUES (1, '', 0, 0)`,
    ...created(knex, beatEntry, (table) => {
      table.text('name').notNullable().primary()
      table.text('data').notNullable()
      table.integer('last_ms')
    }),
    ...created(knex, beatOccurrence, (table) => {
      table.text('id').notNullable().primary()
      table.text('entry').notNullable()
      table.integer('scheduled_ms').notNullable()
    }),
    `CREATE INDEX ${beatOccurrence}_entry ON ${beatOccurrence} (entry, scheduled_ms)`,
  ]
}

function queueTables(knex: Knex, names: TableNames): readonly string[] {
  const { message, topology } = names
  return [
    ...created(knex, names.migration, (table) => {
      table.text('name').notNullable().primary()
      table.timestamp('applied_at').notNullable().defaultTo(knex.fn.now())
    }),
    // Small rows first: SQLite reads a row from its start.
    ...created(knex, names.message, (table) => {
      table.integer('id').notNullable().primary()
      table.text('queue').notNullable()
      table.integer('priority').notNullable()
      table.integer('due_ms')
      table.integer('holder')
      table.integer('claim')
      table.integer('deliveries').notNullable().defaultTo(0)
      table.integer('unspent').notNullable().defaultTo(0)
      table.integer('due').notNullable().defaultTo(0)
      table.text('meta').notNullable()
      table.binary('body').notNullable()
    }),
    `CREATE INDEX ${message}_ready ON ${message} (queue, priority DESC, id) WHERE ${READY}`,
    `CREATE INDEX ${message}_due ON ${message} (due_ms) WHERE due_ms IS NOT NULL`,
    `CREATE INDEX ${message}_holder ON ${message} (holder, claim) WHERE holder IS NOT NULL`,
    ...created(knex, names.holder, (table) => {
      table.increments('id')
      table.integer('lease_until_ms').notNullable()
      table.text('owner').notNullable()
    }),
    ...created(knex, names.queue, (table) => {
      table.text('name').notNullable().primary()
      table.text('lifetime').notNullable()
      table.integer('expires_ms')
      table.integer('used_at_ms')
    }),
    ...created(knex, names.binding, (table) => {
      table.increments('id')
      table.text('queue').notNullable()
      table.text('exchange').notNullable()
      table.text('type').notNullable()
      table.text('routing_key').notNullable()
      table.text('arguments').notNullable()
      table.unique(['queue', 'exchange', 'type', 'routing_key', 'arguments'])
    }),
    ...created(knex, names.topology, (table) => {
      table.integer('version').notNullable()
    }),
    `INSERT INTO ${topology} (version) VALUES (0)`,
  ]
}

/** Columns of each result table beyond its key, by type, as Celery 5.7 makes them; the last ones are ours. */
const RESULT_COLUMNS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  celery_taskmeta: {
    status: 'VARCHAR(50)',
    result: 'BLOB',
    date_done: 'DATETIME',
    traceback: 'TEXT',
    children: 'BLOB',
    name: 'VARCHAR(155)',
    args: 'BLOB',
    kwargs: 'BLOB',
    worker: 'VARCHAR(155)',
    retries: 'INTEGER',
    queue: 'VARCHAR(155)',
    stamps: 'BLOB',
    lovage_group_id: 'VARCHAR(155)',
    lovage_parent_id: 'VARCHAR(155)',
    lovage_expires_ms: 'INTEGER',
  },
  celery_tasksetmeta: { result: 'BLOB', date_done: 'DATETIME', lovage_expires_ms: 'INTEGER' },
}

const KEYS: Readonly<Record<string, string>> = {
  celery_taskmeta: 'task_id',
  celery_tasksetmeta: 'taskset_id',
}

/** Compares the columns there are with those wanted. See `SqlDialect.resultsAreCurrent`. */
export async function resultsAreCurrent(session: SqlSession): Promise<boolean> {
  for (const table of Object.keys(RESULT_COLUMNS)) {
    const { missing } = await compare(session, table)
    if (missing.length > 0) return false
  }
  return true
}

/**
 * Creates, or adds the missing columns one by one, as SQLite can add only one a statement. See `SqlDialect.resultSchema`.
 *
 * @source Celery 5.7, `celery/backends/database/models.py` and `session.py`.
 */
export async function resultSchema(session: SqlSession, knex: Knex): Promise<readonly Migration[]> {
  const steps: Migration[] = []
  for (const [table, columns] of Object.entries(RESULT_COLUMNS)) {
    const { exists, missing } = await compare(session, table)
    if (!exists) steps.push({ name: `create ${table}`, statements: resultTable(knex, table, columns) })
    else if (missing.length > 0) {
      steps.push({
        name: `extend ${table}: ${missing.join(', ')}`,
        statements: [
          ...missing.map((column) => `ALTER TABLE ${table} ADD COLUMN ${column} ${columns[column] ?? ''}`),
          expiryIndex(table),
        ],
      })
    }
  }
  return steps
}

interface Comparison {
  readonly exists: boolean
  readonly missing: readonly string[]
}

async function compare(session: SqlSession, table: string): Promise<Comparison> {
  const rows = await session.all('SELECT name FROM pragma_table_info(?)', [table])
  const present = new Set(rows.map(([name]) => name))
  const missing = Object.keys(RESULT_COLUMNS[table] ?? {}).filter((column) => !present.has(column))
  return { exists: present.size > 0, missing }
}

function resultTable(
  knex: Knex,
  table: string,
  columns: Readonly<Record<string, string>>,
): readonly string[] {
  const key = KEYS[table] ?? 'id'
  return [
    ...created(knex, table, (builder) => {
      builder.increments('id')
      builder.specificType(key, 'VARCHAR(155)').unique()
      for (const [column, type] of Object.entries(columns)) builder.specificType(column, type)
    }),
    `CREATE INDEX ix_${table}_date_done ON ${table} (date_done)`,
    expiryIndex(table),
  ]
}

function expiryIndex(table: string): string {
  const column = 'lovage_expires_ms'
  return `CREATE INDEX IF NOT EXISTS ix_${table}_${column} ON ${table} (${column}) WHERE ${column} IS NOT NULL`
}

function created(
  knex: Knex,
  name: string,
  define: (table: Knex.CreateTableBuilder) => void,
): readonly string[] {
  return knex.schema
    .createTable(name, define)
    .toSQL()
    .map(({ sql }: { readonly sql: string }) => sql)
}
