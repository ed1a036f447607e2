/**
 * What PostgreSQL itself can do: the least a queue has to ask of it, in batches of 100, through `pg` alone.
 *
 * Two-phase: claim 100 rows in one statement, parse them, delete them in another; each is a transaction. Several
 * connections do so at once.
 */
import type pg from 'pg'
import { isRecord } from '../../src/util/record.js'
import type { Sample } from '../harness/scenario.js'
import { Stopwatch } from '../harness/stopwatch.js'
import { withPool, type PostgresqlPlace } from './postgresql-place.js'
import { benchMessage } from './sqlite-raw.js'

const BATCH = 100
const TABLE = `CREATE TABLE message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue text NOT NULL,
  priority integer NOT NULL, claimed boolean NOT NULL DEFAULT false, envelope text NOT NULL, body bytea NOT NULL)`
const INDEX = 'CREATE INDEX ready ON message (queue, priority, id) WHERE NOT claimed'
const RESULT_TABLE = 'CREATE TABLE result (task_id text PRIMARY KEY, status text NOT NULL, result bytea)'

const CLAIM = {
  name: 'claim',
  text: `UPDATE message SET claimed = true WHERE id = ANY (ARRAY(SELECT id FROM message
    WHERE queue = $1 AND NOT claimed ORDER BY priority, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
    RETURNING id, envelope, body`,
}
const REMOVE = { name: 'remove', text: 'DELETE FROM message WHERE id = ANY ($1::bigint[])' }
const REMOVE_STORE = {
  name: 'remove-store',
  text: `WITH gone AS (DELETE FROM message WHERE id = ANY ($1::bigint[]))
    INSERT INTO result (task_id, status, result) SELECT id, 'SUCCESS', 'null' FROM unnest($2::text[]) AS done (id)`,
}

/** Make the tables of the raw programs. */
async function openTables(pool: pg.Pool): Promise<void> {
  for (const text of [TABLE, INDEX, RESULT_TABLE]) await pool.query(text)
}

/** Insert messages by statements of this many rows, this many of them in flight. */
async function insertAll(pool: pg.Pool, count: number, rows: number, inFlight: number): Promise<void> {
  const values = Array.from(
    { length: rows },
    (_, row) => `($${row * 4 + 1},$${row * 4 + 2},$${row * 4 + 3},$${row * 4 + 4})`,
  )
  const text = `INSERT INTO message (queue, priority, envelope, body) VALUES ${values.join(',')}`
  let sent = 0
  const sendOn = async (): Promise<void> => {
    while (sent < count) {
      const from = sent
      sent += rows
      const parameters = Array.from({ length: rows }, (_, index) => {
        const { headers, properties, body } = benchMessage(from + index)
        return ['celery', 0, JSON.stringify({ headers, properties }), body]
      })
      await pool.query({ name: `insert ${rows}`, text, values: parameters.flat() })
    }
  }
  await Promise.all(Array.from({ length: inFlight }, sendOn))
}

async function drainOn(pool: pg.Pool, withResults: boolean, drained: (count: number) => void): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ id: string; envelope: string; body: Uint8Array }>({
      ...CLAIM,
      values: ['celery'],
    })
    if (rows.length === 0) return
    const ids = rows.map(({ envelope }) => idOf(JSON.parse(envelope)))
    const keys = `{${rows.map(({ id }) => id).join(',')}}`
    if (withResults) {
      await pool.query({ ...REMOVE_STORE, values: [keys, ids] })
    } else await pool.query({ ...REMOVE, values: [keys] })
    drained(rows.length)
  }
}

function idOf(envelope: unknown): string {
  const headers = isRecord(envelope) ? envelope['headers'] : undefined
  return isRecord(headers) ? String(headers['id']) : ''
}

/** What to drain, and on how many connections at once. */
export interface RawDrain {
  /** Messages that are drained first and not measured. */
  readonly warmUp: number
  readonly count: number
  readonly connections: number
  readonly withResults: boolean
}

/** Drain messages that were inserted before. */
export async function rawDrain(
  place: PostgresqlPlace,
  { warmUp, count, connections, withResults }: RawDrain,
): Promise<Sample> {
  return withPool(place.url, connections, async (pool) => {
    await openTables(pool)
    await insertAll(pool, warmUp + count, BATCH, 1)
    let before = place.cpuUs()
    const stopwatch = new Stopwatch()
    let left = warmUp
    const drained = (some: number): void => {
      left -= some
      if (left > 0 || left + some <= 0) return
      before = place.cpuUs()
      stopwatch.restart()
    }
    await Promise.all(Array.from({ length: connections }, () => drainOn(pool, withResults, drained)))
    const sample = stopwatch.read(count)
    return { ...sample, serverUs: (place.cpuUs() - before) / count }
  })
}

/** Insert `count` messages, a statement for `rows` of them, on ten connections. */
export async function rawEnqueue(
  place: PostgresqlPlace,
  count: number,
  rows: number,
  inFlight = 100,
): Promise<Sample> {
  return withPool(place.url, 10, async (pool) => {
    await openTables(pool)
    await insertAll(pool, Math.min(count, 5000), rows, inFlight)
    const before = place.cpuUs()
    const stopwatch = new Stopwatch()
    await insertAll(pool, count, rows, inFlight)
    const sample = stopwatch.read(count)
    return { ...sample, serverUs: (place.cpuUs() - before) / count }
  })
}
