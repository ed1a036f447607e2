import type { ConsumeMessage, Options } from 'amqplib'
import type { Route } from '../../src/broker/contract.js'
import { BrokerError } from '../../src/errors/errors.js'
import type { Message, MessageProperties } from '../../src/message/message.js'
import type { Writable } from '../../src/util/writable.js'
import { toError } from '../../src/util/to-error.js'
import { isDelayExchange } from './delay-names.js'
import { readMarks, UNREADABLE } from './marks.js'
import { fromTable, toTable } from './table.js'

/** Properties that AMQP has a place for and our messages no name. `user_id` is left out: RabbitMQ checks it. */
const EXTRA = { app_id: 'appId', message_id: 'messageId', type: 'type' } as const
/** @source RabbitMQ 3.10, `deps/rabbit_common/include/rabbit.hrl`, `MAX_EXPIRY_TIMER`. */
const LONGEST_EXPIRATION_MS = 2 ** 32 - 1
const EXTRA_NAMES = Object.entries(EXTRA)

/** A message as the client library publishes it. */
export interface Envelope {
  readonly content: Buffer
  readonly options: Options.Publish
}

/**
 * A message in Celery's layout.
 *
 * @param marks - Headers that it carries beside its own.
 * @source kombu 5.7, `kombu/messaging.py`, `Producer.publish`: priority 0 is written too.
 */
export function toEnvelope(message: Message, marks: Readonly<Record<string, unknown>> = {}): Envelope {
  const { body, properties } = message
  const { correlationId, replyTo, expirationMs } = properties
  const options: Options.Publish = {
    contentType: message.contentType,
    contentEncoding: message.contentEncoding,
    headers: toTable({ ...message.headers, ...marks }),
    deliveryMode: properties.persistent === false ? 1 : 2,
    priority: properties.priority ?? 0,
    mandatory: true,
  }
  if (correlationId !== undefined) options.correlationId = correlationId
  if (replyTo !== undefined) options.replyTo = replyTo
  if (expirationMs !== undefined) options.expiration = toExpiration(expirationMs)
  if (properties.extra !== undefined) addExtra(options, properties.extra)
  return { content: Buffer.from(body.buffer, body.byteOffset, body.byteLength), options }
}

/** The server closes the channel, with all that was sent on it, for one that is longer. */
function toExpiration(expirationMs: number): string {
  if (expirationMs <= LONGEST_EXPIRATION_MS) return String(Math.max(0, Math.ceil(expirationMs)))
  throw new BrokerError('RabbitMQ takes no message that expires in more than 49 days')
}

/** A message that came, before its queue decides what it counts as. */
export interface Arrival {
  readonly message: Message
  readonly route: Route
  readonly due: boolean
  readonly notBeforeMs: number | undefined
  readonly redelivered: boolean
  /** Deliveries before this one, as far as it is written down. */
  readonly deliveries: number
  /** It came back to a queue that does not count, so that this delivery is not written down yet. */
  readonly isUncounted: boolean
}

/** Read what a consumer was sent. */
export function toArrival({ content, fields, properties }: ConsumeMessage, queue: string): Arrival {
  const isDelayed = isDelayExchange(fields.exchange)
  const marks = readMarks(readHeaders(properties.headers ?? {}), isDelayed)
  const { deliveries, returned } = marks
  return {
    message: {
      body: content,
      contentType: text(properties.contentType) ?? 'application/data',
      contentEncoding: text(properties.contentEncoding) ?? 'binary',
      headers: marks.headers,
      properties: toProperties(properties),
    },
    route: marks.route ?? routeOf(fields, isDelayed, queue),
    due: marks.isDue,
    notBeforeMs: marks.notBeforeMs,
    redelivered: fields.redelivered || deliveries !== undefined || returned !== undefined,
    deliveries: (deliveries ?? 0) + (returned ?? 0),
    isUncounted: fields.redelivered && returned === undefined,
  }
}

/** A message whose headers cannot be used is handed out without them, to be set aside, and says why. */
function readHeaders(values: Readonly<Record<string, unknown>>): Message['headers'] {
  try {
    return fromTable(values)
  } catch (error) {
    return { [UNREADABLE]: toError(error).message }
  }
}

function routeOf(fields: ConsumeMessage['fields'], isDelayed: boolean, queue: string): Route {
  if (!isDelayed) return { exchange: fields.exchange, routingKey: fields.routingKey }
  // The exchange it was meant for is not kept; it goes back to the queue that it came by.
  return { exchange: '', routingKey: queue }
}

function toProperties(from: ConsumeMessage['properties']): MessageProperties {
  const properties: Writable<MessageProperties> = {}
  const correlationId = text(from.correlationId)
  const replyTo = text(from.replyTo)
  const expiration = text(from.expiration)
  const priority: unknown = from.priority
  if (correlationId !== undefined) properties.correlationId = correlationId
  if (replyTo !== undefined) properties.replyTo = replyTo
  if (typeof priority === 'number') properties.priority = priority
  if (expiration !== undefined) properties.expirationMs = Number(expiration)
  if (from.deliveryMode === 1) properties.persistent = false
  const extra = readExtra(from)
  if (extra !== undefined) properties.extra = extra
  return properties
}

function addExtra(options: Options.Publish, extra: Readonly<Record<string, unknown>>): void {
  for (const [name, as] of EXTRA_NAMES) {
    const value = extra[name]
    if (typeof value === 'string') options[as] = value
  }
}

function readExtra(from: ConsumeMessage['properties']): Record<string, unknown> | undefined {
  let extra: Record<string, unknown> | undefined
  for (const [name, as] of EXTRA_NAMES) {
    const value = text(from[as])
    if (value !== undefined) (extra ??= {})[name] = value
  }
  return extra
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
