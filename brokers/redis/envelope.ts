import { randomUUID } from 'node:crypto'
import type { Delivery, HandBack, Route } from '../../src/broker/contract.js'
import type { Message, MessageProperties } from '../../src/message/message.js'
import { parseTolerantJson } from '../../src/message/json-parser.js'
import { writeJson } from '../../src/message/json-writer.js'
import { isRecord } from '../../src/util/record.js'
import { withMember } from './json-members.js'

/** What Lovage notes in the properties of a message that has been claimed or held; Celery's workers leave it alone. */
interface Marks {
  /** Claims that count. */
  readonly spent: number
  readonly handouts: number
  /** The store held it until its time. */
  readonly due: boolean
}

/** A message as it lies in a list. */
export interface Envelope {
  /** As it was read; `undefined` when it is not JSON of the right form, and then `text` is all there is. */
  readonly fields: Record<string, unknown> | undefined
  readonly text: string
}

const MARKS = 'lovage'
/** What may be an integer that a number does not hold. */
const LONG_DIGITS = /\d{16}/
const OURS = new Set([
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

/**
 * Write the envelope of a new message, with a delivery tag of its own.
 *
 * @param due - The store holds it until its due time.
 * @source kombu 5.7, `kombu/transport/virtual/base.py`, `Channel.prepare_message` and `_inplace_augment_message`.
 */
export function writeEnvelope(message: Message, route: Route, due = false): string {
  const { properties } = message
  const { correlationId, replyTo, priority, expirationMs, persistent, extra } = properties
  const written = {
    correlation_id: correlationId,
    reply_to: replyTo,
    delivery_mode: persistent === false ? 1 : 2,
    expiration: expirationMs === undefined ? undefined : String(expirationMs),
    ...extra,
    delivery_info: { exchange: route.exchange, routing_key: route.routingKey },
    priority: priority ?? 0,
    body_encoding: 'base64',
    delivery_tag: randomUUID(),
    [MARKS]: due ? { spent: 0, handouts: 0, due } : undefined,
  }
  const body = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength)
  return (
    `{"body":"${body.toString('base64')}","content-encoding":${JSON.stringify(message.contentEncoding)},` +
    `"content-type":${JSON.stringify(message.contentType)},"headers":${toText(message.headers)},` +
    `"properties":${toText(written)}}`
  )
}

/** Read what lies in a list. @source kombu 5.7, `kombu/utils/json.py`: Python writes `NaN`, and integers of any size. */
export function readEnvelope(text: string): Envelope {
  try {
    const fields = parsed(text)
    if (isRecord(fields) && typeof fields['body'] === 'string') return { fields, text }
  } catch {
    // Told by the missing fields.
  }
  return { fields: undefined, text }
}

/** A claimed envelope as the core sees it. One without form is delivered as bytes that nobody can decode. */
export function toDelivery(envelope: Envelope, queue: string, tag: string): Delivery {
  const { fields, text } = envelope
  if (fields === undefined) return malformed(text, queue, tag)
  const properties = recordOr(fields['properties'])
  const info = recordOr(properties['delivery_info'])
  const { redelivered, ...headers } = recordOr(fields['headers'])
  const { spent, handouts, due } = marksOf(properties)
  return {
    message: {
      body: bodyOf(fields['body'], properties['body_encoding']),
      contentType: textOr(fields['content-type'], 'application/octet-stream'),
      contentEncoding: textOr(fields['content-encoding'], 'binary'),
      headers,
      properties: toProperties(properties),
    },
    queue,
    route: { exchange: textOr(info['exchange'], ''), routingKey: textOr(info['routing_key'], queue) },
    deliveryCount: spent + 1,
    redelivered: handouts > 0 || redelivered === true || info['redelivered'] === true,
    due,
    tag,
  }
}

/** The envelope of a claimed message that goes back to its queue. */
export function giveBackEnvelope(envelope: Envelope, wish: Omit<HandBack, 'delivery' | 'delayMs'>): string {
  const { fields, text } = envelope
  if (fields === undefined) return text
  const properties = recordOr(fields['properties'])
  const marks = marksOf(properties)
  const next: Marks = {
    spent: marks.spent + (wish.unspent ? 0 : 1),
    handouts: marks.handouts + 1,
    due: marks.due || wish.notBeforeMs !== undefined,
  }
  const headers = withMember(text, 'headers', (old) => {
    let changed = withMember(objectOr(old), 'redelivered', () => 'true')
    for (const [name, value] of Object.entries(wish.headers ?? {})) {
      changed = withMember(changed, name, () => toText(value))
    }
    return changed
  })
  return withMember(headers, 'properties', (old) => {
    const changed = withMember(objectOr(old), 'delivery_info', (info) =>
      withMember(objectOr(info), 'redelivered', () => 'true'),
    )
    return withMember(changed, MARKS, () => JSON.stringify(next))
  })
}

/** The priority that an envelope was sent with. */
export function priorityOf({ fields }: Envelope): number | undefined {
  const priority = recordOr(recordOr(fields)['properties'])['priority']
  return typeof priority === 'number' ? priority : undefined
}

function parsed(text: string): unknown {
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
    return value === undefined ? 'null' : JSON.stringify(value)
  } catch {
    return writeJson(value)
  }
}

function objectOr(text: string | undefined): string {
  return text?.startsWith('{') === true ? text : '{}'
}

function malformed(text: string, queue: string, tag: string): Delivery {
  return {
    message: {
      body: Buffer.from(text),
      contentType: 'application/octet-stream',
      contentEncoding: 'binary',
      headers: {},
      properties: {},
    },
    queue,
    route: { exchange: '', routingKey: queue },
    deliveryCount: 1,
    redelivered: false,
    due: false,
    tag,
  }
}

function bodyOf(body: unknown, encoding: unknown): Uint8Array {
  return Buffer.from(textOr(body, ''), encoding === 'base64' ? 'base64' : 'utf8')
}

function toProperties(properties: Readonly<Record<string, unknown>>): MessageProperties {
  const { correlation_id, reply_to, priority, expiration, delivery_mode } = properties
  const extra: Record<string, unknown> = {}
  let hasExtra = false
  for (const name in properties) {
    if (OURS.has(name)) continue
    extra[name] = properties[name]
    hasExtra = true
  }
  const expirationMs = Number(expiration ?? Number.NaN)
  return {
    ...(typeof correlation_id === 'string' && { correlationId: correlation_id }),
    ...(typeof reply_to === 'string' && reply_to !== '' && { replyTo: reply_to }),
    ...(typeof priority === 'number' && { priority }),
    ...(Number.isFinite(expirationMs) && { expirationMs }),
    ...(delivery_mode === 1 && { persistent: false }),
    ...(hasExtra && { extra }),
  }
}

function marksOf(properties: Readonly<Record<string, unknown>>): Marks {
  const marks = properties[MARKS]
  if (!isRecord(marks)) return { spent: 0, handouts: 0, due: false }
  return { spent: countOr(marks['spent']), handouts: countOr(marks['handouts']), due: marks['due'] === true }
}

function countOr(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback
}

const NOTHING: Readonly<Record<string, unknown>> = {}

function recordOr(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : NOTHING
}
