import { EncodeError } from '../errors/errors.js'
import type { Codecs } from './codecs.js'
import { formatUtc } from './serializer/iso-time.js'
import type { Message, MessageProperties } from './message.js'
import { argsRepr, pythonRepr } from './python-repr.js'
import type { Embed, OutgoingTask } from './task-message.js'
import { hostname } from 'node:os'

const BODY_ROOTS: readonly string[] = ['args', 'kwargs', 'embed']
const NO_LIMITS: readonly null[] = [null, null]

/**
 * Write a task as a message of protocol 2, headers in Celery's order.
 *
 * @param nowMs - The moment from which the property `expiration` counts, in epoch milliseconds.
 * @throws EncodeError naming the path of a value that cannot be written; ConfigError for an unknown serializer or
 * compressor.
 * @source Celery 5.7, `celery/app/amqp.py`, `as_task_v2`.
 */
export function encodeTask(task: OutgoingTask, codecs: Codecs, nowMs?: number): Message {
  const serializer = codecs.serializers.get(task.serializer)
  const encoded = serializer.encode([task.args, task.kwargs, embedInOrder(task.embed)], BODY_ROOTS)
  const headers = protocol2Headers(task)
  if (task.headers) mergeCallerHeaders(headers, task.headers, codecs)
  let body = typeof encoded === 'string' ? Buffer.from(encoded, 'utf8') : encoded
  if (task.compression !== undefined) {
    const compressor = codecs.compressors.get(task.compression)
    body = compressor.compress(body)
    headers['compression'] = compressor.contentType
  }
  const { contentType, contentEncoding } = serializer
  return { body, contentType, contentEncoding, headers, properties: taskProperties(task, nowMs) }
}

/** The properties that go with a task: its id as `correlationId`, and `expirationMs` counted from now. */
export function taskProperties(task: OutgoingTask, nowMs?: number): MessageProperties {
  const given = task.properties
  // Most have one: a copy for each message is more than the rest of this.
  const properties = given.correlationId === undefined ? { ...given, correlationId: task.id } : given
  if (task.expiresMs === undefined || given.expirationMs !== undefined) return properties
  return { ...properties, expirationMs: Math.max(0, Math.ceil(task.expiresMs - (nowMs ?? Date.now()))) }
}

/** A time as it is written into a header or a body, null when there is none. */
export function timeText(epochMs: number | undefined, name: string): string | null {
  if (epochMs === undefined) return null
  const text = formatUtc(epochMs)
  if (text === undefined) throw new EncodeError(`${name} is outside the years 1 to 9999: ${epochMs} ms`)
  return text
}

/** Celery's `timelimit`: `[hard, soft]` in seconds. */
export function timeLimits(task: OutgoingTask): readonly (number | null)[] {
  if (task.timeLimitMs === undefined && task.softTimeLimitMs === undefined) return NO_LIMITS
  return [seconds(task.timeLimitMs), seconds(task.softTimeLimitMs)]
}

/** Whoever built the embed, its keys are written in Celery's order. */
function embedInOrder({ callbacks, errbacks, chain, chord }: Embed): Embed {
  return { callbacks, errbacks, chain, chord }
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined || ms === Infinity ? null : ms / 1000
}

function protocol2Headers(task: OutgoingTask): Record<string, unknown> {
  return {
    lang: 'js',
    task: task.task,
    id: task.id,
    shadow: task.shadow ?? null,
    eta: timeText(task.etaMs, 'eta'),
    expires: timeText(task.expiresMs, 'expires'),
    group: task.groupId ?? null,
    group_index: task.groupIndex ?? null,
    retries: task.retries,
    timelimit: timeLimits(task),
    root_id: task.rootId,
    parent_id: task.parentId ?? null,
    argsrepr: task.argsRepr ?? argsRepr(task.args),
    kwargsrepr: task.kwargsRepr ?? pythonRepr(task.kwargs),
    origin: task.origin ?? processOrigin(),
    ignore_result: task.ignoreResult ?? null,
    replaced_task_nesting: task.replacedTaskNesting,
    stamped_headers: task.stampedHeaders ?? null,
    stamps: task.stamps,
  }
}

/** Celery lets a caller's header replace any of its own; what names the task itself is kept from that here. */
function mergeCallerHeaders(
  headers: Record<string, unknown>,
  own: Readonly<Record<string, unknown>>,
  codecs: Codecs,
): void {
  for (const name of ['task', 'id']) {
    if (Object.hasOwn(own, name))
      throw new EncodeError(`the header "${name}" names the task itself; choose another`)
  }
  // Written only to find what no transport could carry, before the message is built.
  codecs.serializers.get('json').encode([own], ['headers'])
  Object.assign(headers, own)
}

let cached: string | undefined

/** Who sends: `gen<pid>@<host>`, as in the header `origin` of Celery's clients. Computed once. */
function processOrigin(): string {
  cached ??= `gen${process.pid}@${hostname()}`
  return cached
}
