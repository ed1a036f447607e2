/**
 * What SQLite itself can do: the least a queue has to ask of it, in batches of 100, on the engine under test.
 *
 * Two-phase: claim 100 rows in one statement and commit, delete them in another and commit. Envelopes are JSON, written
 * and parsed as the driver has to.
 */
import { randomUUID } from 'node:crypto'
import type { NativeConnection, SqliteEngine } from '../../brokers/sql/engine/native.js'

const BATCH = 100

/** One message of the benchmarks: Celery's headers with ids of this task, and a small body. */
export interface BenchMessage {
  readonly headers: Readonly<Record<string, unknown>>
  readonly properties: Readonly<Record<string, unknown>>
  readonly body: Uint8Array
}

const encoder = new TextEncoder()
const EMBED = { callbacks: null, errbacks: null, chain: null, chord: null }

/** The message that `noop.delay(index)` sends, built by nothing but a UUID, object literals and JSON. */
export function benchMessage(index: number): BenchMessage {
  const id = randomUUID()
  return {
    headers: {
      lang: 'js',
      task: 'bench.noop',
      id,
      shadow: null,
      eta: null,
      expires: null,
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [null, null],
      root_id: id,
      parent_id: null,
      argsrepr: `(${index},)`,
      kwargsrepr: '{}',
      origin: 'bench@host',
      ignore_result: true,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
    },
    properties: { correlationId: id },
    body: encoder.encode(JSON.stringify([[index], {}, EMBED])),
  }
}

/** An empty raw queue in a new file, at the durability given. */
export function openRawQueue(engine: SqliteEngine, path: string, synchronous = 'FULL'): NativeConnection {
  const native = engine.open(path)
  native.prepare('PRAGMA journal_mode = WAL').all([])
  native.exec(`PRAGMA synchronous = ${synchronous}`)
  // As the driver has it, so that both write the log back as often.
  native.exec('PRAGMA wal_autocheckpoint = 4000')
  native.exec(`CREATE TABLE message (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, priority INTEGER NOT NULL,
    claimed INTEGER, envelope TEXT NOT NULL, body BLOB NOT NULL)`)
  native.exec('CREATE INDEX ready ON message (queue, priority DESC, id) WHERE claimed IS NULL')
  return native
}

/** Insert `count` messages, each 100 in one statement and one commit. */
export function rawEnqueue(native: NativeConnection, count: number): void {
  const values = Array.from({ length: BATCH }, () => '(?,?,?,?)').join(',')
  const insert = native.prepare(`INSERT INTO message (queue, priority, envelope, body) VALUES ${values}`)
  for (let from = 0; from < count; from += BATCH) {
    const rows = Array.from({ length: BATCH }, (_, index) => benchMessage(from + index))
    insert.run(
      rows.flatMap(({ headers, properties, body }) => [
        'celery',
        0,
        JSON.stringify({ headers, properties }),
        body,
      ]),
    )
  }
}

/** Claim, parse and delete until the queue is empty; the number of messages seen. */
export function rawDrain(native: NativeConnection): number {
  const claim = native.prepare(`UPDATE message SET claimed = 1 WHERE id IN (SELECT id FROM message
    WHERE queue = ? AND claimed IS NULL ORDER BY priority DESC, id LIMIT ${BATCH}) RETURNING id, envelope, body`)
  const holes = Array.from({ length: BATCH }, () => '?').join(',')
  const remove = native.prepare(`DELETE FROM message WHERE id IN (${holes})`)
  let seen = 0
  for (;;) {
    const rows = claim.all(['celery'])
    if (rows.length === 0) return seen
    for (const [, envelope] of rows) JSON.parse(String(envelope))
    const ids = rows.map(([id]) => id ?? null)
    remove.run([...ids, ...Array.from({ length: BATCH - ids.length }, () => null)])
    seen += rows.length
  }
}
