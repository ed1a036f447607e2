import { DecodeError } from '../errors/errors.js'
import { formatUtc, parseIsoTime } from '../message/serializer/iso-time.js'
import { isRecord } from '../util/record.js'
import type { ExtendedRecord, ResultCodec, TaskRecord } from './contract.js'

const JSON_TYPE = 'application/json'

/**
 * A record as Celery's result document, its keys in Celery's order.
 *
 * @source Celery 5.7, `celery/backends/base.py`, `Backend._get_result_meta`.
 */
export function writeDocument(record: TaskRecord, codec: ResultCodec): string | Buffer {
  const { encoded } = record
  const { state: status, taskId } = record
  if (codec.contentType !== JSON_TYPE) {
    const fields = { status, result: record.result ?? null, ...circumstances(record), task_id: taskId }
    return toArgument(codec.encode(fields).data)
  }
  const isWritten = encoded?.contentType === JSON_TYPE
  const result = isWritten ? textOf(encoded.data) : textOf(codec.encode(record.result).data)
  const middle = textOf(codec.encode(circumstances(record)).data).slice(1, -1)
  return `{"status":${JSON.stringify(status)},"result":${result},${middle},"task_id":${JSON.stringify(taskId)}}`
}

/** A stored document as a record. @throws `DecodeError` when it is none. */
export function readDocument(data: Uint8Array, codec: ResultCodec): TaskRecord {
  const { contentType, contentEncoding } = codec
  const fields = codec.decode({ contentType, contentEncoding, data })
  if (!isRecord(fields) || typeof fields['status'] !== 'string') {
    throw new DecodeError('expected a result document with a status')
  }
  const { task_id, status, result, traceback, children, group_id, parent_id } = fields
  const doneAtMs = momentOf(fields['date_done'])
  const extended = toExtended(fields)
  return {
    taskId: typeof task_id === 'string' ? task_id : '',
    state: status,
    result: result ?? null,
    children: Array.isArray(children) ? children : [],
    ...(typeof traceback === 'string' && { traceback }),
    ...(doneAtMs !== undefined && { doneAtMs }),
    ...(typeof group_id === 'string' && { groupId: group_id }),
    ...(typeof parent_id === 'string' && { parentId: parent_id }),
    ...(extended !== undefined && { extended }),
  }
}

/** What a serializer wrote, as an argument of a command. */
export function toArgument(data: string | Uint8Array): string | Buffer {
  return typeof data === 'string' ? data : Buffer.from(data)
}

/** What stands between the result and the task's id. */
function circumstances(record: TaskRecord): Record<string, unknown> {
  const { extended, groupId, parentId, doneAtMs } = record
  const fields: Record<string, unknown> = {
    traceback: record.traceback ?? null,
    children: record.children,
    date_done: doneAtMs === undefined ? null : (formatUtc(doneAtMs) ?? null),
  }
  if (groupId !== undefined) fields['group_id'] = groupId
  if (parentId !== undefined) fields['parent_id'] = parentId
  return extended === undefined ? fields : { ...fields, ...extendedFields(extended) }
}

/** What `resultExtended` adds to a record, by Celery’s names. */
export function extendedFields(extended: ExtendedRecord): Record<string, unknown> {
  const { stampedHeaders, stamps } = extended
  return {
    name: extended.name ?? null,
    args: extended.args ?? null,
    kwargs: extended.kwargs ?? null,
    worker: extended.worker ?? null,
    retries: extended.retries ?? null,
    queue: extended.queue ?? null,
    ...(stampedHeaders !== undefined && { stamped_headers: stampedHeaders, ...stamps }),
  }
}

function toExtended(fields: Readonly<Record<string, unknown>>): ExtendedRecord | undefined {
  if (!('name' in fields)) return undefined
  const { name, args, kwargs, worker, retries, queue } = fields
  return {
    ...(typeof name === 'string' && { name }),
    ...(args !== undefined && args !== null && { args }),
    ...(kwargs !== undefined && kwargs !== null && { kwargs }),
    ...(typeof worker === 'string' && { worker }),
    ...(typeof retries === 'number' && { retries }),
    ...(typeof queue === 'string' && { queue }),
    ...stampsOf(fields),
  }
}

function stampsOf(
  fields: Readonly<Record<string, unknown>>,
): Pick<ExtendedRecord, 'stampedHeaders' | 'stamps'> {
  const names = fields['stamped_headers']
  if (!Array.isArray(names)) return {}
  const stampedHeaders = names.map(String)
  const stamps = Object.fromEntries(stampedHeaders.map((stamp) => [stamp, fields[stamp]]))
  return { stampedHeaders, stamps }
}

/** A moment as text, with a zone or without, in which case it is UTC; or decoded already. */
function momentOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime()
  if (typeof value !== 'string') return undefined
  return parseIsoTime(value)?.epochMs
}

function textOf(data: string | Uint8Array): string {
  return typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
}
