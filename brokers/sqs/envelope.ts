import type { HandBack, Route } from '../../src/broker/contract.js'
import {
  contentOf,
  countOr,
  isMarkedRedelivered as isMarked,
  MARKS,
  parseEnvelope,
  recordOr,
  toText,
  writeEnvelope as writeKombuEnvelope,
} from '../../src/broker/kombu-envelope.js'
import type { Fields } from '../../src/broker/kombu-envelope.js'
import type { Message } from '../../src/message/message.js'
import { isRecord } from '../../src/util/record.js'
import { decodeBody } from './body-encoding.js'

/** What Lovage notes in the properties of a message; Celery's workers leave it alone. */
export interface Marks {
  /** Claims that count, of messages that this one replaced. */
  readonly spent: number
  readonly handouts: number
  /** The queue held it until its time. */
  readonly due: boolean
  /** Not before this moment, in epoch milliseconds. */
  readonly at: number | undefined
  /** Not before so many milliseconds after the service took it: `at`, for the receiver. */
  readonly delayMs?: number | undefined
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

const UNMARKED: Marks = { spent: 0, handouts: 0, due: false, at: undefined }

/** Write the envelope of a new message. */
export function writeEnvelope(message: Message, route: Route, marks?: Marks): string {
  return writeKombuEnvelope(withoutAttributes(message), route, marks)
}

/**
 * Read the body of a message at the service.
 *
 * @param sentMs - When the service took it, in epoch milliseconds.
 */
export function readEnvelope(body: string, sentMs: number): Envelope {
  const text = decodeBody(body)
  const fields = parseEnvelope(text)
  if (fields === undefined || !('properties' in fields)) return { fields: undefined, text, marks: UNMARKED }
  return { fields, text, marks: marksOf(recordOr(fields['properties']), sentMs) }
}

/** The message and its route. What is no envelope becomes bytes that nobody decodes. */
export function toMessage({ fields, text }: Envelope, queue: string): { message: Message; route: Route } {
  const { message, route } = contentOf(fields, text, queue)
  return { message: withoutAttributes(message), route }
}

/** Whether whoever handed it back noted so. */
export function isMarkedRedelivered({ fields, marks }: Envelope): boolean {
  return marks.handouts > 0 || isMarked(fields)
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
  const value = recordOr(fields?.['properties'])[name]
  return typeof value === 'string' ? value : undefined
}

/** The message without what kombu's transport puts beside it: attributes of the service's own. */
function withoutAttributes(message: Message): Message {
  const { extra, ...properties } = message.properties
  if (extra === undefined || !('message_attributes' in extra)) return message
  const { message_attributes: _, ...rest } = extra
  return {
    ...message,
    properties: { ...properties, ...(Object.keys(rest).length > 0 && { extra: rest }) },
  }
}

function marksOf(properties: Fields, sentMs: number): Marks {
  const marks = properties[MARKS]
  if (!isRecord(marks)) return UNMARKED
  const { delayMs } = marks
  const at = typeof delayMs === 'number' ? sentMs + delayMs : marks['at']
  return {
    spent: countOr(marks['spent']),
    handouts: countOr(marks['handouts']),
    due: marks['due'] === true,
    at: typeof at === 'number' ? at : undefined,
    ...(typeof marks['home'] === 'string' && { home: marks['home'] }),
  }
}
