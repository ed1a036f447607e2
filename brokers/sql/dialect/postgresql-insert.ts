import type { SqlValue } from '../sql-session.js'
import type { NewMessage } from './dialect.js'
import { holdValues } from './visibility-delay.js'
import { binaryArray, integerArray } from './postgresql-array.js'

/** The present moment in epoch milliseconds, as PostgreSQL tells it; one moment within a statement. */
export const NOW = '(extract(epoch from statement_timestamp()) * 1000)::bigint'

/** Parameters that {@link insertValues} gives. */
const WIDTH = 6
const TYPES = ['text', 'integer', 'text', 'bytea', 'bigint', 'bigint']

/**
 * Inserts any number of messages from a list for each column; a list that is too short is filled up with NULL.
 *
 * @param first - Number of the first of its parameters.
 * @param condition - On which it inserts.
 */
export function insertText(first: number, condition = 'true'): string {
  const lists = Array.from({ length: WIDTH }, (_, index) => `$${first + index}::${TYPES[index]}[]`)
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
