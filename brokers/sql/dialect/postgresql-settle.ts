import type { SqlSession, SqlValue } from '../sql-session.js'
import type { ClaimKey, KeptRow, SettledAtOnce, SettleAtOnce } from './dialect.js'
import { binaryArray, integerArray } from './postgresql-array.js'
import { NOW } from './postgresql-insert.js'
import { fitted, RESULT_COLUMNS, rowValues } from './result-row.js'

const TYPES: ReadonlyMap<string, string> = new Map([
  ['date_done', 'timestamp'],
  ['retries', 'integer'],
])
const BYTES: ReadonlySet<string> = new Set(['result', 'children', 'args', 'kwargs', 'stamps'])

/** The upsert of any number of results from `source`, whose columns are those of the table and `ttl`. */
export function upsertFrom(source: string): string {
  const columns = RESULT_COLUMNS.map((column) => {
    const type = TYPES.get(column)
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

const GONE = `gone AS (DELETE FROM {message} AS m USING unnest($2::bigint[], $3::bigint[]) AS done (id, claim)
  WHERE m.id = done.id AND m.claim = done.claim AND m.holder + 0 = $1 RETURNING m.id, m.claim)`
// The keys only where some are missing, as good as never.
const ANSWER = `CASE WHEN count(*) < cardinality($2::bigint[]) THEN array_agg(id || ':' || claim)::text END`

const REMOVE = `WITH ${GONE} SELECT count(*), ${ANSWER} FROM gone`
const REMOVE_AND_STORE = `WITH ${GONE}, stored AS (
  ${upsertFrom(`${resultRows(6, ['id $4::bigint[]', 'claim $5::bigint[]'])} JOIN gone USING (id, claim)`)})
  SELECT count(*), ${ANSWER}, pg_notify($22, '') FROM gone`

/** Delete claimed rows and store what the tasks gave, for those whose claim holds. See `AtOnce.settle`. */
export async function settle(session: SqlSession, wish: SettleAtOnce): Promise<SettledAtOnce> {
  const { holder, claims, results, channel } = wish
  const keys = [holder, ...keyArrays(claims)]
  const [row] =
    results.length === 0
      ? await session.all(REMOVE, keys)
      : await session.all(REMOVE_AND_STORE, [
          ...keys,
          ...keyArrays(results.map(({ claim }) => claim)),
          ...resultValues(results.map(({ kept }) => kept)),
          channel,
        ])
  return { lost: lostOf(claims, Number(row?.[0]), row?.[1] ?? null) }
}

function keyArrays(keys: readonly ClaimKey[]): readonly SqlValue[] {
  return [integerArray(keys.map(({ id }) => id)), integerArray(keys.map(({ claim }) => claim))]
}

/** One message may be in a batch by two claims, of which one was lost. @param keys - An array of `id:claim`, as text. */
function lostOf(claims: readonly ClaimKey[], count: number, keys: SqlValue): readonly ClaimKey[] {
  if (count === claims.length) return []
  const gone = new Set(typeof keys === 'string' ? keys.slice(1, -1).split(',') : [])
  return claims.filter(({ id, claim }) => !gone.has(`${id}:${claim}`))
}
