import type { SqlValue } from '../sql-session.js'
import type { KeptRow, NewMessage } from './dialect.js'
import { binaryArray, integerArray } from './postgresql-array.js'
import { holdValues } from './queue.js'
import { fitted, RESULT_COLUMNS, rowValues } from './results.js'

/** The present moment in epoch milliseconds, as PostgreSQL tells it; one moment within a statement. */
export const NOW = '(extract(epoch from statement_timestamp()) * 1000)::bigint'

/** Parameters that {@link insertValues} gives. */
const WIDTH = 6
const MESSAGE_TYPES = ['text', 'integer', 'text', 'bytea', 'bigint', 'bigint']

/**
 * Inserts any number of messages from a list for each column; a list that is too short is filled up with NULL.
 *
 * @param first - Number of the first of its parameters.
 * @param condition - On which it inserts.
 */
export function insertText(first: number, condition = 'true'): string {
  const lists = Array.from({ length: WIDTH }, (_, index) => `$${first + index}::${MESSAGE_TYPES[index]}[]`)
  return `INSERT INTO {message} (queue, rank, meta, body, due_ms, due)
    SELECT queue, rank, meta, body, base + times * ${NOW}, (base IS NOT NULL)::integer::smallint
    FROM unnest(${lists.join(', ')}) AS sent (queue, rank, meta, body, base, times) WHERE ${condition}`
}

/** Values of the parameters of {@link insertText}. */
export function insertValues(messages: readonly NewMessage[]): readonly SqlValue[] {
  const holds = messages.some(({ hold }) => hold !== undefined)
    ? messages.map(({ hold }) => holdValues(hold))
    : []
  return [
    binaryArray(
      'text',
      messages.map(({ queue }) => queue),
    ),
    integerArray(messages.map(({ priority }) => -priority)),
    binaryArray(
      'text',
      messages.map(({ meta }) => meta),
    ),
    binaryArray(
      'bytea',
      messages.map(({ body }) => body),
    ),
    integerArray(holds.map(([base]) => base)),
    integerArray(holds.map(([, times]) => times)),
  ]
}

const RESULT_TYPES: ReadonlyMap<string, string> = new Map([
  ['date_done', 'timestamp'],
  ['retries', 'integer'],
])
const BYTES: ReadonlySet<string> = new Set(['result', 'children', 'args', 'kwargs', 'stamps'])

/** The upsert of any number of results from `source`, whose columns are those of the table and `ttl`. */
export function upsertFrom(source: string): string {
  const columns = RESULT_COLUMNS.map((column) => {
    const type = RESULT_TYPES.get(column)
    return type === undefined ? `r.${column}` : `r.${column}::${type}`
  })
  const kept = [...RESULT_COLUMNS.slice(1), 'lovage_expires_ms']
  // In one order everywhere, so that two writers of the same tasks do not wait for each other.
  return `INSERT INTO {taskmeta} AS kept (${RESULT_COLUMNS.join(', ')}, lovage_expires_ms)
  SELECT ${columns.join(', ')}, r.ttl + ${NOW} FROM ${source} ORDER BY r.task_id COLLATE "C"
  ON CONFLICT (task_id) DO UPDATE SET ${kept.map((column) => `${column} = excluded.${column}`).join(', ')}
  WHERE kept.status IS DISTINCT FROM 'SUCCESS' OR kept.lovage_expires_ms <= ${NOW}`
}

/**
 * Rows of results as a table `r` of their columns and `ttl`, from a list for each; one that is too short is filled up with
 * NULL.
 *
 * @param first - Number of the first of its parameters.
 * @param more - Lists of other columns that come before, as `id $3::bigint[]`.
 */
export function resultRows(first: number, more: readonly string[] = []): string {
  const own = ['ttl', ...RESULT_COLUMNS].map(
    (column, index) => `${column} $${first + index}::${listType(column)}[]`,
  )
  const lists = [...more, ...own]
  const names = lists.map((list) => list.slice(0, list.indexOf(' ')))
  return `unnest(${lists.map((list) => list.slice(list.indexOf(' ') + 1)).join(', ')}) AS r (${names.join(', ')})`
}

function listType(column: string): string {
  if (column === 'ttl') return 'bigint'
  if (column === 'retries') return 'integer'
  return BYTES.has(column) ? 'bytea' : 'text'
}

/** Values of the parameters of {@link resultRows}. */
export function resultValues(rows: readonly KeptRow[]): readonly SqlValue[] {
  const values = rows.map(({ row }) => rowValues(fitted(row)))
  const ttl = rows.map(({ ttlMs }) => (ttlMs > 0 ? Math.round(ttlMs) : null))
  return [
    integerArray(ttl),
    ...RESULT_COLUMNS.map((column, index) =>
      list(
        column,
        values.map((row) => row[index] ?? null),
      ),
    ),
  ]
}

function list(column: string, values: readonly SqlValue[]): SqlValue {
  if (values.every((value) => value === null)) return '{}'
  if (column === 'retries')
    return integerArray(values.map((value) => (value === null ? null : Number(value))))
  return binaryArray(BYTES.has(column) ? 'bytea' : 'text', values)
}
