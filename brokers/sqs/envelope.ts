import { randomUUID } from 'node:crypto'
import type { HandBack, Route } from '../../src/broker/contract.js'
import { parseTolerantJson } from '../../src/message/json-parser.js'
import { writeJson } from '../../src/message/json-writer.js'
import type { Message, MessageProperties } from '../../src/message/message.js'
import { isRecord } from '../../src/util/record.js'
import { decodeBody } from './body-encoding.js'

type Fields = Readonly<Record<string, unknown>>

/** What Lovage notes in the properties of a message; Celery's workers leave it alone. */
export interface Marks {
  /** Claims that count, of messages that this one replaced. */
  readonly spent: number
  readonly handouts: number
  /** The queue held it until its time. */
  readonly due: boolean
  /** Not before this moment, in epoch milliseconds. */
  readonly at: number | undefined
  /** The queue it belongs to, while it is kept in one of its worker's own. */
  readonly home?: string | undefined
}

/** A message as it lies in a queue. */
export interface Envelope {
  /** As it was read; `undefined` when it is not kombu's, and then `text` is all there is. */
  readonly fields: Fields | undefined
  readonly text: string
  readonly marks: Marks
}

const MARKS = 'lovage'
const NOTHING: Fields = {}
const UNMARKED: Marks = { spent: 0, handouts: 0, due: false, at: undefined }
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
  'message_attributes',
  MARKS,
])

/**
 * Write the envelope of a new message.
 *
 * @source kombu 5.7, `kombu/transport/virtual/base.py`, `Channel.prepare_message` and `_inplace_augment_message`.
 */
export function writeEnvelope(message: Message, route: Route, marks: Marks = UNMARKED): string {
  const { correlationId, replyTo, priority, expirationMs, persistent, extra } = message.properties
  const { message_attributes: _, ...rest } = extra ?? NOTHING
  const properties = {
    correlation_id: correlationId,
    reply_to: replyTo,
    delivery_mode: persistent === false ? 1 : 2,
    expiration: expirationMs === undefined ? undefined : String(expirationMs),
    ...rest,
    delivery_info: { exchange: route.exchange, routing_key: route.routingKey },
    priority: priority ?? 0,
    body_encoding: 'base64',
    delivery_tag: randomUUID(),
    [MARKS]: marks === UNMARKED ? undefined : marks,
  }
  const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)
  return (
    `{"body":"${body.toString('base64')}","content-encoding":${JSON.stringify(message.contentEncoding)},` +
    `"content-type":${JSON.stringify(message.contentType)},"headers":${toText(message.headers)},` +
    `"properties":${toText(properties)}}`
  )
}

/** Read the body of a message at the service. */
export function readEnvelope(body: string): Envelope {
  const text = decodeBody(body)
  const fields = parsed(text)
  if (fields === undefined) return { fields, text, marks: UNMARKED }
  return { fields, text, marks: marksOf(recordOr(fields['properties'])) }
}

/** The message and its route. What is no envelope becomes bytes that nobody decodes. */
export function toMessage({ fields, text }: Envelope, queue: string): { message: Message; route: Route } {
  if (fields === undefined) return { message: bare(text), route: { exchange: '', routingKey: queue } }
  const properties = recordOr(fields['properties'])
  const info = recordOr(properties['delivery_info'])
  const { redelivered: _, ...headers } = recordOr(fields['headers'])
  const isBytes = properties['body_encoding'] === 'base64'
  return {
    message: {
      body: Buffer.from(textOr(fields['body'], ''), isBytes ? 'base64' : 'utf8'),
      contentType: textOr(fields['content-type'], 'application/octet-stream'),
      contentEncoding: textOr(fields['content-encoding'], 'binary'),
      headers,
      properties: toProperties(properties),
    },
    route: { exchange: textOr(info['exchange'], ''), routingKey: textOr(info['routing_key'], queue) },
  }
}

/** Whether whoever handed it back noted so. */
export function isMarkedRedelivered({ fields, marks }: Envelope): boolean {
  if (marks.handouts > 0) return true
  const info = recordOr(recordOr(recordOr(fields)['properties'])['delivery_info'])
  return info['redelivered'] === true || recordOr(recordOr(fields)['headers'])['redelivered'] === true
}

/** The same message with other marks, and headers set or replaced. */
export function rewriteEnvelope(envelope: Envelope, marks: Marks, headers?: HandBack['headers']): string {
  const { fields, text } = envelope
  if (fields === undefined) return text
  const properties = { ...recordOr(fields['properties']), [MARKS]: marks }
  return toText({ ...fields, headers: { ...recordOr(fields['headers']), ...headers }, properties })
}

/** A property that steers the service: `MessageGroupId`, `MessageDeduplicationId`. */
export function propertyOf({ fields }: Envelope, name: string): string | undefined {
  const value = recordOr(recordOr(fields)['properties'])[name]
  return typeof value === 'string' ? value : undefined
}

function parsed(text: string): Fields | undefined {
  try {
    const fields = quickParsed(text)
    if (isRecord(fields) && typeof fields['body'] === 'string' && 'properties' in fields) return fields
  } catch {
    // Told by the missing fields.
  }
  return undefined
}

function quickParsed(text: string): unknown {
  // The body is text in base64 and needs no look.
  if (LONG_DIGITS.test(text.slice(Math.max(0, text.indexOf('"headers"'))))) return parseTolerantJson(text)
  try {
    return JSON.parse(text)
  } catch {
    return parseTolerantJson(text)
  }
}

/** JSON, of integers of any size too. */
function toText(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return writeJson(value)
  }
}

function bare(text: string): Message {
  return {
    body: Buffer.from(text),
    contentType: 'application/octet-stream',
    contentEncoding: 'binary',
    headers: {},
    properties: {},
  }
}

function toProperties(properties: Fields): MessageProperties {
  const { correlation_id, reply_to, priority, expiration, delivery_mode } = properties
  const extra = Object.entries(properties).filter(([name]) => !NAMED.has(name))
  const expirationMs = Number(expiration ?? Number.NaN)
  return {
    ...(typeof correlation_id === 'string' && { correlationId: correlation_id }),
    ...(typeof reply_to === 'string' && reply_to !== '' && { replyTo: reply_to }),
    ...(typeof priority === 'number' && { priority }),
    ...(Number.isFinite(expirationMs) && { expirationMs }),
    ...(delivery_mode === 1 && { persistent: false }),
    ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
  }
}

function marksOf(properties: Fields): Marks {
  const marks = properties[MARKS]
  if (!isRecord(marks)) return UNMARKED
  const at = marks['at']
  return {
    spent: countOr(marks['spent']),
    handouts: countOr(marks['handouts']),
    due: marks['due'] === true,
    at: typeof at === 'number' ? at : undefined,
    ...(typeof marks['home'] === 'string' && { home: marks['home'] }),
  }
}

function countOr(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

function recordOr(value: unknown): Fields {
  return isRecord(value) ? value : NOTHING
}
