import { randomUUID } from 'node:crypto'
import { parseTolerantJson } from '../message/serializer/json-parser.js'
import { isTooDeep } from '../message/serializer/json-reader.js'
import { writeJson } from '../message/serializer/json-writer.js'
import type { Message, MessageProperties } from '../message/message.js'
import { isRecord } from '../util/record.js'
import type { Writable } from '../util/writable.js'
import type { Route } from './contract.js'

/** An object of an envelope. */
export type Fields = Readonly<Record<string, unknown>>

/** What an envelope says of its message. */
export interface EnvelopeContent {
  readonly message: Message
  readonly route: Route
  /** Whether a worker of Celery gave it back. */
  readonly redelivered: boolean
}

/** The property in which Lovage notes what it knows of a message; Celery's workers leave it alone. */
export const MARKS = 'lovage'

/** What may be an integer that a number does not hold. */
const LONG_DIGITS = /\d{16}/
const NAMED = new Set([
  'correlation_id',
  'reply_to',
  'delivery_mode',
  'expiration',
  'delivery_info',
  'priority',
  'body_encoding',
  'delivery_tag',
  MARKS,
])
const NOTHING: Fields = {}

/**
 * Write a message as kombu does, with a delivery tag of its own.
 *
 * @param marks - What stands under {@link MARKS}; nothing does when it is `undefined`.
 * @source kombu 5.7, `kombu/transport/virtual/base.py`, `Channel.prepare_message` and `_inplace_augment_message`.
 */
export function writeEnvelope(message: Message, route: Route, marks?: object): string {
  const { correlationId, replyTo, priority, expirationMs, persistent, extra } = message.properties
  const properties = {
    correlation_id: correlationId,
    reply_to: replyTo,
    delivery_mode: persistent === false ? 1 : 2,
    expiration: expirationMs === undefined ? undefined : String(expirationMs),
    ...extra,
    delivery_info: { exchange: route.exchange, routing_key: route.routingKey },
    priority: priority ?? 0,
    body_encoding: 'base64',
    delivery_tag: randomUUID(),
    [MARKS]: marks,
  }
  const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)
  return (
    `{"body":"${body.toString('base64')}","content-encoding":${JSON.stringify(message.contentEncoding)},` +
    `"content-type":${JSON.stringify(message.contentType)},"headers":${toText(message.headers)},` +
    `"properties":${toText(properties)}}`
  )
}

/** A message and its route, as far as they can be read. What is no envelope becomes bytes that nobody decodes. */
export function readEnvelope(payload: string, queue: string): EnvelopeContent {
  const fields = parseEnvelope(payload)
  return {
    ...contentOf(fields, payload, queue),
    redelivered: fields?.['redelivered'] === true || deliveryInfo(fields)['redelivered'] === true,
  }
}

/** The message and its route in an envelope that was read. @param text - As it was written. */
export function contentOf(
  fields: Fields | undefined,
  text: string,
  queue: string,
): Omit<EnvelopeContent, 'redelivered'> {
  if (fields === undefined) return { message: malformed(text), route: { exchange: '', routingKey: queue } }
  const properties = recordOr(fields['properties'])
  const info = recordOr(properties['delivery_info'])
  return {
    message: {
      body: bodyOf(fields['body'], properties['body_encoding']),
      contentType: textOr(fields['content-type'], 'application/octet-stream'),
      contentEncoding: textOr(fields['content-encoding'], 'binary'),
      headers: withoutMark(recordOr(fields['headers'])),
      properties: toProperties(properties),
    },
    route: { exchange: textOr(info['exchange'], ''), routingKey: textOr(info['routing_key'], queue) },
  }
}

/** Whether whoever gave it back noted so, where Celery notes it on Redis and SQS. */
export function isMarkedRedelivered(fields: Fields | undefined): boolean {
  return recordOr(fields?.['headers'])['redelivered'] === true || deliveryInfo(fields)['redelivered'] === true
}

/** The envelope with some of its fields changed; everything else keeps its value, and what is no envelope stays as it is. */
export function rewriteEnvelope(payload: string, change: (fields: Fields) => Fields): string {
  const fields = parseEnvelope(payload)
  return fields === undefined ? payload : toText(change(fields))
}

/** The properties of an envelope; none of what is no envelope. */
export function envelopeProperties(payload: string): Fields {
  return recordOr(parseEnvelope(payload)?.['properties'])
}

/**
 * Read an envelope; `undefined` for what is none, or nests so deep that it cannot be written again.
 *
 * @source kombu 5.7, `kombu/utils/json.py`: Python writes `NaN`, and integers of any size.
 */
export function parseEnvelope(text: string): Fields | undefined {
  if (isTooDeep(text)) return undefined
  try {
    // The body is text in base64 and needs no look.
    const isPlain = !LONG_DIGITS.test(text.slice(Math.max(0, text.indexOf('"headers"'))))
    const fields = isPlain ? plain(text) : parseTolerantJson(text)
    return isRecord(fields) && typeof fields['body'] === 'string' ? fields : undefined
  } catch {
    return undefined
  }
}

function plain(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return parseTolerantJson(text)
  }
}

/** JSON, of integers of any size too. */
export function toText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return writeJson(value)
  }
}

function malformed(text: string): Message {
  return {
    body: Buffer.from(text),
    contentType: 'application/octet-stream',
    contentEncoding: 'binary',
    headers: {},
    properties: {},
  }
}

/** The headers of the sender: copied only where a worker of Celery has added to them, since most have no such mark. */
function withoutMark(headers: Fields): Fields {
  if (!('redelivered' in headers)) return headers
  const { redelivered: _, ...others } = headers
  return others
}

function bodyOf(body: unknown, encoding: unknown): Uint8Array {
  return Buffer.from(textOr(body, ''), encoding === 'base64' ? 'base64' : 'utf8')
}

/** Assigned one by one: each spread would cost a copy for every message. */
function toProperties(properties: Fields): MessageProperties {
  const { correlation_id, reply_to, priority, expiration, delivery_mode } = properties
  const read: Writable<MessageProperties> = {}
  if (typeof correlation_id === 'string') read.correlationId = correlation_id
  if (typeof reply_to === 'string' && reply_to !== '') read.replyTo = reply_to
  if (typeof priority === 'number') read.priority = priority
  if (expiration !== undefined && expiration !== null) {
    const expirationMs = Number(expiration)
    if (Number.isFinite(expirationMs)) read.expirationMs = expirationMs
  }
  if (delivery_mode === 1) read.persistent = false
  const extra = extraOf(properties)
  if (extra !== undefined) read.extra = extra
  return read
}

function extraOf(properties: Fields): Fields | undefined {
  let extra: Record<string, unknown> | undefined
  for (const name in properties) {
    if (NAMED.has(name)) continue
    extra ??= {}
    extra[name] = properties[name]
  }
  return extra
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

function deliveryInfo(fields: Fields | undefined): Fields {
  return recordOr(recordOr(fields?.['properties'])['delivery_info'])
}

/** A value as an object; one without members for anything else. */
export function recordOr(value: unknown): Fields {
  return isRecord(value) ? value : NOTHING
}

/** A mark as a count; 0 for anything else. */
export function countOr(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0
}
