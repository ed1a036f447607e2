import type { EncodedValue, ExtendedRecord, ResultCodec, TaskRecord } from '../../src/backend/contract.js'
import { BackendError } from '../../src/errors/errors.js'
import { isRecord } from '../../src/util/record.js'
import type { ResultRow } from '../../brokers/sql/dialect/dialect.js'
import type { SqlValue } from '../../brokers/sql/sql-session.js'

const FIRST_BYTE_OF_A_PICKLE = 0x80

/**
 * A record as a row of Celery 5.7's table.
 *
 * @source Celery 5.7, `celery/backends/database/__init__.py`, `DatabaseBackend._update_result`.
 */
export function toRow(record: TaskRecord, codec: ResultCodec): ResultRow {
  const encoded =
    record.encoded?.contentType === codec.contentType ? record.encoded : codec.encode(record.result)
  return {
    taskId: record.taskId,
    status: record.state,
    result: bytesOf(encoded),
    dateDone: record.doneAtMs === undefined ? null : dateText(record.doneAtMs),
    traceback: record.traceback ?? null,
    children: record.children.length === 0 ? null : bytesOf(codec.encode(record.children)),
    groupId: record.groupId ?? null,
    parentId: record.parentId ?? null,
    ...extendedColumns(record.extended ?? {}, codec),
  }
}

type ExtendedColumns = Pick<ResultRow, 'name' | 'args' | 'kwargs' | 'worker' | 'retries' | 'queue' | 'stamps'>

function extendedColumns(extended: ExtendedRecord, codec: ResultCodec): ExtendedColumns {
  const optional = (value: unknown): Uint8Array | null =>
    value === undefined ? null : bytesOf(codec.encode(value))
  return {
    name: extended.name ?? null,
    args: optional(extended.args),
    kwargs: optional(extended.kwargs),
    worker: extended.worker ?? null,
    retries: extended.retries ?? null,
    queue: extended.queue ?? null,
    stamps: optional(stampsOf(extended)),
  }
}

/**
 * A row as a record.
 *
 * Where the row cannot be decoded, as one that holds a pickle, reading `result` throws: a batch must not fail for one.
 */
export function fromRow(row: ResultRow, codec: ResultCodec): TaskRecord {
  try {
    return readRecord(row, codec)
  } catch (error) {
    return unreadableRecord(row, error)
  }
}

function readRecord(row: ResultRow, codec: ResultCodec): TaskRecord {
  if ([row.result, row.children, row.args, row.kwargs, row.stamps].some(isPickle))
    throw pickleError(row.taskId)
  const children = decodeBytes(row.children, codec, row.taskId)
  const extended = extendedOf(row, codec)
  return {
    ...plainFields(row),
    result: decodeBytes(row.result, codec, row.taskId) ?? null,
    children: Array.isArray(children) ? children : [],
    ...(Object.keys(extended).length > 0 && { extended }),
  }
}

function unreadableRecord(row: ResultRow, error: unknown): TaskRecord {
  return {
    ...plainFields(row),
    children: [],
    get result(): unknown {
      throw error
    },
  }
}

function plainFields(row: ResultRow): Omit<TaskRecord, 'result' | 'children'> {
  return {
    taskId: row.taskId,
    state: row.status,
    ...(row.traceback !== null && { traceback: row.traceback }),
    ...(row.dateDone !== null && { doneAtMs: dateMs(row.dateDone) }),
    ...(row.groupId !== null && { groupId: row.groupId }),
    ...(row.parentId !== null && { parentId: row.parentId }),
  }
}

/** What the result serializer wrote, as the bytes of a BLOB. */
export function bytesOf({ data }: EncodedValue): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data
}

/**
 * The value of a serialized column; `undefined` for SQL's NULL.
 *
 * @param what - Named in the error.
 * @throws {@link BackendError} when the column holds a pickle, as Celery up to 5.6 writes it.
 */
export function decodeBytes(value: SqlValue, codec: ResultCodec, what: string): unknown {
  if (value === null) return undefined
  if (isPickle(value)) throw pickleError(what)
  const data = typeof value === 'number' ? String(value) : value
  return codec.decode({ contentType: codec.contentType, contentEncoding: codec.contentEncoding, data })
}

// In msgpack the one byte 80 is the empty map; no text begins with it.
function isPickle(value: SqlValue): boolean {
  return value instanceof Uint8Array && value.length > 1 && value[0] === FIRST_BYTE_OF_A_PICKLE
}

function pickleError(what: string): BackendError {
  return new BackendError(
    `the result of ${what} is a Python pickle, which is never read; let Celery write it with version 5.7 or later ` +
      'and result_serializer = "json", or give Lovage a result table of its own',
  )
}

function stampsOf({ stampedHeaders, stamps }: ExtendedRecord): unknown {
  if (stampedHeaders === undefined && stamps === undefined) return undefined
  return { stamped_headers: stampedHeaders ?? [], stamps: stamps ?? {} }
}

function extendedOf(row: ResultRow, codec: ResultCodec): ExtendedRecord {
  const args = decodeBytes(row.args, codec, row.taskId)
  const kwargs = decodeBytes(row.kwargs, codec, row.taskId)
  const stamped = decodeBytes(row.stamps, codec, row.taskId)
  const headers = isRecord(stamped) ? stamped['stamped_headers'] : undefined
  const stamps = isRecord(stamped) ? stamped['stamps'] : undefined
  return {
    ...(row.name !== null && { name: row.name }),
    ...(args !== undefined && { args }),
    ...(kwargs !== undefined && { kwargs }),
    ...(row.worker !== null && { worker: row.worker }),
    ...(row.retries !== null && { retries: row.retries }),
    ...(row.queue !== null && { queue: row.queue }),
    ...(Array.isArray(headers) && { stampedHeaders: headers.map(String) }),
    ...(isRecord(stamps) && { stamps }),
  }
}

/** A moment as SQLAlchemy stores it in SQLite: UTC, microseconds, no zone. */
export function dateText(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '000')
}

function dateMs(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`)
}
