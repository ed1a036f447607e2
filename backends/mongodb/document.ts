import { Binary } from 'mongodb'
import type { ExtendedRecord, ResultCodec, TaskRecord } from '../../src/backend/contract.js'
import { compressed, decompressed } from '../../src/backend/compressed-value.js'
import { extendedFields } from '../../src/backend/result-document.js'
import type { ResultCompressor } from '../../src/message/compression/compressed-result.js'
import { isRecord } from '../../src/util/record.js'

/** A document of `celery_taskmeta`: Celery's fields, and the moment at which it expires. */
export type TaskDocument = {
  readonly _id: string
  readonly status: string
  readonly result: unknown
  readonly expire_at?: Date
} & Readonly<Record<string, unknown>>

/**
 * A record as Celery's result document, its keys in Celery's order.
 *
 * @param expiresAtMs - On the server's clock; 0 keeps it.
 * @source Celery 5.7, `celery/backends/mongodb.py`, `MongoBackend._store_result`.
 */
export function writeDocument(record: TaskRecord, form: StoredForm, expiresAtMs: number): TaskDocument {
  const { extended, groupId, parentId, doneAtMs, encoded } = record
  const { codec, compress } = form
  const isEncoded = encoded?.contentType === codec.contentType
  return {
    status: record.state,
    result: toStored(isEncoded ? encoded.data : codec.encode(record.result ?? null).data, compress),
    traceback: record.traceback ?? null,
    children: record.children,
    date_done: doneAtMs === undefined ? null : new Date(doneAtMs),
    ...(groupId !== undefined && { group_id: groupId }),
    ...(parentId !== undefined && { parent_id: parentId }),
    ...(extended !== undefined && extendedFields(extended)),
    _id: record.taskId,
    ...(expiresAtMs > 0 && { expire_at: new Date(Math.ceil(expiresAtMs)) }),
  }
}

/** A stored document as a record. @throws `DecodeError` when its result is in another form. */
export function readDocument(document: TaskDocument, codec: ResultCodec): TaskRecord {
  const { _id, status, traceback, children, date_done, group_id, parent_id } = document
  const extended = toExtended(document)
  return {
    taskId: _id,
    state: status,
    result: readStored(document.result, codec),
    children: Array.isArray(children) ? children : [],
    ...(typeof traceback === 'string' && { traceback }),
    ...(date_done instanceof Date && { doneAtMs: date_done.getTime() }),
    ...(typeof group_id === 'string' && { groupId: group_id }),
    ...(typeof parent_id === 'string' && { parentId: parent_id }),
    ...(extended !== undefined && { extended }),
  }
}

/** How results are written. */
export interface StoredForm {
  readonly codec: ResultCodec
  readonly compress: ResultCompressor | undefined
}

/** What a serializer wrote, as it is stored: text as it is, bytes and what is compressed as BSON binary. */
export function toStored(data: string | Uint8Array, compress: ResultCompressor | undefined): string | Binary {
  const stored = compressed(data, compress)
  return typeof stored === 'string' ? stored : new Binary(stored)
}

/** A stored value, decoded. Celery's `bson` serializer leaves it as it is. */
export function readStored(stored: unknown, codec: ResultCodec): unknown {
  const { contentType, contentEncoding } = codec
  if (stored instanceof Binary) {
    return codec.decode({ contentType, contentEncoding, data: decompressed(Buffer.from(stored.value())) })
  }
  return typeof stored === 'string' ? codec.decode({ contentType, contentEncoding, data: stored }) : stored
}

function toExtended(fields: Readonly<Record<string, unknown>>): ExtendedRecord | undefined {
  if (!('name' in fields)) return undefined
  const { name, args, kwargs, worker, retries, queue, stamped_headers } = fields
  const stampedHeaders = Array.isArray(stamped_headers) ? stamped_headers.map(String) : undefined
  return {
    ...(typeof name === 'string' && { name }),
    ...(args !== undefined && args !== null && { args }),
    ...(isRecord(kwargs) && { kwargs }),
    ...(typeof worker === 'string' && { worker }),
    ...(typeof retries === 'number' && { retries }),
    ...(typeof queue === 'string' && { queue }),
    ...(stampedHeaders !== undefined && {
      stampedHeaders,
      stamps: Object.fromEntries(stampedHeaders.map((stamp) => [stamp, fields[stamp]])),
    }),
  }
}
