import { randomUUID } from 'node:crypto'
import { parseTolerantJson } from '../message/json-parser.js'
import { writeJson } from '../message/json-writer.js'
import type { Message, MessageProperties } from '../message/message.js'
import { isRecord } from '../util/record.js'
import type { Route } from './contract.js'

type Fields = Readonly<Record<string, unknown>>

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
 * Write a message as kombu does.
 *
 * @source kombu 5.7, `kombu/transport/virtual/base.py`, `Channel.prepare_message` and `_inplace_augment_message`.
 */
export function writeEnvelope(message: Message, route: Route): string {
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
  const fields = parsed(payload)
  if (fields === undefined) return malformed(payload, queue)
  const properties = recordOr(fields['properties'])
  const info = recordOr(properties['delivery_info'])
  const { redelivered: _, ...headers } = recordOr(fields['headers'])
  return {
    message: {
      body: bodyOf(fields['body'], properties['body_encoding']),
      contentType: textOr(fields['content-type'], 'application/octet-stream'),
      contentEncoding: textOr(fields['content-encoding'], 'binary'),
      headers,
      properties: toProperties(properties),
    },
    route: { exchange: textOr(info['exchange'], ''), routingKey: textOr(info['routing_key'], queue) },
    redelivered: fields['redelivered'] === true || info['redelivered'] === true,
  }
}

/** The envelope with some of its fields changed; everything else keeps its value, and what is no envelope stays as it is. */
export function rewriteEnvelope(payload: string, change: (fields: Fields) => Fields): string {
  const fields = parsed(payload)
  return fields === undefined ? payload : toText(change(fields))
}

/** The properties of an envelope; none of what is no envelope. */
export function envelopeProperties(payload: string): Fields {
  return recordOr(parsed(payload)?.['properties'])
}

/** @source kombu 5.7, `kombu/utils/json.py`: Python writes `NaN`, and integers of any size. */
function parsed(text: string): Fields | undefined {
  try {
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

function toText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return writeJson(value)
  }
}

function malformed(payload: string, queue: string): EnvelopeContent {
  return {
    message: {
      body: Buffer.from(payload),
      contentType: 'application/octet-stream',
      contentEncoding: 'binary',
      headers: {},
      properties: {},
    },
    route: { exchange: '', routingKey: queue },
    redelivered: false,
  }
}

function bodyOf(body: unknown, encoding: unknown): Uint8Array {
  return Buffer.from(textOr(body, ''), encoding === 'base64' ? 'base64' : 'utf8')
}

function toProperties(properties: Fields): MessageProperties {
  const { correlation_id, reply_to, priority, expiration, delivery_mode } = properties
  const extra = Object.fromEntries(Object.entries(properties).filter(([name]) => !NAMED.has(name)))
  const expirationMs = Number(expiration ?? Number.NaN)
  return {
    ...(typeof correlation_id === 'string' && { correlationId: correlation_id }),
    ...(typeof reply_to === 'string' && reply_to !== '' && { replyTo: reply_to }),
    ...(typeof priority === 'number' && { priority }),
    ...(Number.isFinite(expirationMs) && { expirationMs }),
    ...(delivery_mode === 1 && { persistent: false }),
    ...(Object.keys(extra).length > 0 && { extra }),
  }
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

function recordOr(value: unknown): Fields {
  return isRecord(value) ? value : NOTHING
}
