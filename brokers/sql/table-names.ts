import { ConfigError } from '../../src/errors/errors.js'

/** Tables and sequences, by what they are for: names as knex takes them, the schema before a dot. */
export interface TableNames {
  readonly message: string
  readonly holder: string
  readonly queue: string
  readonly binding: string
  readonly topology: string
  readonly broadcast: string
  readonly migration: string
  /** One row: beat's leader, and the revision of its entries. */
  readonly beat: string
  readonly beatEntry: string
  readonly beatOccurrence: string
  readonly taskmeta: string
  readonly tasksetmeta: string
  /** Where Celery takes the ids of `taskmeta` from, on databases with sequences. */
  readonly taskIds: string
  readonly tasksetIds: string
  /** kombu's own tables, where the queue is shared with Celery, and the sequences that it takes ids from. */
  readonly kombuQueue: string
  readonly kombuMessage: string
  readonly kombuQueueIds: string
  readonly kombuMessageIds: string
}

/** Names of kombu's tables, which its transport options `queue_tablename` and `message_tablename` change. */
export interface KombuNames {
  readonly queue: string
  readonly message: string
}

/** What kombu calls its tables unless told otherwise. */
export const KOMBU_NAMES: KombuNames = { queue: 'kombu_queue', message: 'kombu_message' }

/** One of the result tables, where it is not where Celery has it by default. */
export interface ResultTable {
  readonly name?: string
  readonly schema?: string
}

/** Both of them, as Celery's `database_table_names` and `database_table_schemas` say it. */
export interface ResultTables {
  readonly task: ResultTable
  readonly group: ResultTable
}

/** Where the tables of one application stand. */
export interface TableLocation {
  /** Schema of PostgreSQL, database of MySQL; what the connection is in when undefined. */
  readonly schema: string | undefined
  /** Begins the names of the queue's tables; those of the results are Celery's. */
  readonly prefix: string
  /** kombu's tables, when they are asked for by other names. */
  readonly kombu?: KombuNames
  /** The result tables, when they are asked for by other names. */
  readonly results?: ResultTables
}

/** Where tables stand unless told otherwise. */
export const DEFAULT_PLACE: TableLocation = { schema: undefined, prefix: 'lovage_' }

// Longer ones would be cut where an index is named after its table.
const NAME = /^[a-z_][a-z0-9_]{0,39}$/i

/** The names at one place. @throws {@link ConfigError} for a schema or prefix that would need quoting. */
export function tableNames({ schema, prefix, kombu = KOMBU_NAMES, results }: TableLocation): TableNames {
  const { task = {}, group = {} } = results ?? {}
  const given = [task.name, task.schema, group.name, group.schema]
  for (const part of [schema, prefix, kombu.queue, kombu.message, ...given]) {
    if (part === undefined || NAME.test(part)) continue
    throw new ConfigError(
      `expected a schema, table or prefix of letters, digits and "_", 40 at most, got: ${JSON.stringify(part)}`,
    )
  }
  const start = schema === undefined ? '' : `${schema}.`
  const own = `${start}${prefix}`
  const startOf = (table: ResultTable): string => (table.schema === undefined ? start : `${table.schema}.`)
  return {
    message: `${own}message`,
    holder: `${own}holder`,
    queue: `${own}queue`,
    binding: `${own}binding`,
    topology: `${own}topology`,
    broadcast: `${own}broadcast`,
    migration: `${own}migration`,
    beat: `${own}beat`,
    beatEntry: `${own}beat_entry`,
    beatOccurrence: `${own}beat_occurrence`,
    taskmeta: `${startOf(task)}${task.name ?? 'celery_taskmeta'}`,
    tasksetmeta: `${startOf(group)}${group.name ?? 'celery_tasksetmeta'}`,
    taskIds: `${startOf(task)}task_id_sequence`,
    tasksetIds: `${startOf(group)}taskset_id_sequence`,
    kombuQueue: `${start}${kombu.queue}`,
    kombuMessage: `${start}${kombu.message}`,
    kombuQueueIds: `${start}queue_id_sequence`,
    kombuMessageIds: `${start}message_id_sequence`,
  }
}

/** A text in which `{message}` and the like stand for quoted names, with the names put in. */
export function withNames(template: string, names: TableNames, quote: string): string {
  const byKey = new Map<string, string>(Object.entries(names))
  return template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => {
    const name = byKey.get(key)
    return name === undefined ? whole : quoted(name, quote)
  })
}

/** A name with its schema, each part in quotes. */
export function quoted(name: string, quote: string): string {
  return name
    .split('.')
    .map((part) => `${quote}${part}${quote}`)
    .join('.')
}

/** A name without its schema. */
export function bareName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
