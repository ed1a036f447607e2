import type { Delivery, Outgoing, QueueSpec, Route } from '../broker/contract.js'
import { ZLIB_COMPRESSOR } from '../message/compression/compressor.js'
import { isEmpty } from '../message/embed.js'
import type { Message, MessageProperties } from '../message/message.js'
import { parsedJson } from '../util/parsed-json.js'
import { isRecord } from '../util/record.js'

/**
 * Why a message was set aside. `worker-lost`: its workers died as often as `maxDeliveries` allows.
 * `unreadable`: it cannot be decoded or is no task. `not-registered`: no worker knew the task in time.
 * `rejected`: the task asked for it. `failed`: the task failed and `acksOnFailure` is off,
 * or its definition kept it from starting.
 * `unsupported`: it asks for what this version does not have. `refused`: it was run, and the store refuses its result for good.
 */
export type DeadReason =
  'worker-lost' | 'unreadable' | 'not-registered' | 'rejected' | 'failed' | 'unsupported' | 'refused'

/** What is written beside a dead message. */
export interface DeadLetterNote {
  readonly reason: DeadReason
  /** One line for people. */
  readonly detail: string
  /** The moment, in epoch milliseconds. */
  readonly atMs: number
  /** How long the letter is kept, in milliseconds; for ever when left out or `Infinity`. */
  readonly expiresMs?: number
}

/** A dead message as it is read back. */
export interface DeadLetter {
  /** The task id, or an empty text where the message has none. */
  readonly id: string
  /** The task name, or an empty text where the message has none. */
  readonly task: string
  /** The reason; a word that this version does not know is kept. */
  readonly reason: string
  readonly detail: string
  /** The queue it was claimed from, and where a replay publishes it again. */
  readonly queue: string
  /** Where it was published to. */
  readonly route: Route
  /** How often it had been delivered. */
  readonly deliveries: number
  /** When it was set aside, in epoch milliseconds. */
  readonly atMs: number | undefined
  /** The message as it was before, without what was written beside it. */
  readonly message: Message
}

const SUFFIX = '.dead'
/** What RabbitMQ takes; older letters than that are dropped by a worker. */
const MOST_EXPIRATION_MS = 2 ** 32 - 1
const PREFIX = 'lovage-dead-'
/** A store that refuses less has another reason than the size, in bytes. */
const WORTH_COMPRESSING = 16 * 1024
/** Headers of less are not what a store refuses, as JSON in bytes. */
const WORTH_PACKING = 4 * 1024
/** Header of a letter whose task's headers are in its body: how many bytes of it they are. */
const PACKED = `${PREFIX}packed`
/** Headers that such a letter has all the same, for who looks through a queue. */
const SHOWN = ['id', 'task']
/** Headers that other parts of the worker write onto a waiting message. */
const OWN_PREFIXES = [PREFIX, 'lovage-unknown-']

/** Name of the queue that keeps the dead letters of `queue`. */
export function deadLetterQueue(queue: string): string {
  return queue.endsWith(SUFFIX) ? queue : queue + SUFFIX
}

/** What to declare before the first dead letter of `queue`. */
export function deadLetterQueueSpec(queue: string): QueueSpec {
  return { name: deadLetterQueue(queue), lifetime: 'durable', bindings: [] }
}

/** The dead letter of a delivery: the same bytes in Celery's layout, with the note in its headers. */
export function toDeadLetter(delivery: Delivery, note: DeadLetterNote): Outgoing {
  const { message, queue, route, deliveryCount } = delivery
  const { priority } = message.properties
  const headers = {
    ...withoutOwn(message.headers),
    [`${PREFIX}reason`]: note.reason,
    [`${PREFIX}detail`]: note.detail.slice(0, 1000),
    [`${PREFIX}queue`]: queue,
    [`${PREFIX}exchange`]: route.exchange,
    [`${PREFIX}routing-key`]: route.routingKey,
    [`${PREFIX}deliveries`]: deliveryCount,
    [`${PREFIX}at`]: new Date(note.atMs).toISOString(),
    ...(priority !== undefined && { [`${PREFIX}priority`]: priority }),
  }
  return {
    route: { exchange: '', routingKey: deadLetterQueue(queue) },
    message: { ...message, headers, properties: lettersOwn(message.properties, note.expiresMs) },
  }
}

/** A dead letter whose body is compressed as a call's is; `undefined` where that makes it no smaller. */
export function compressedLetter({ message, ...rest }: Outgoing): Outgoing | undefined {
  if (message.body.byteLength < WORTH_COMPRESSING || !isEmpty(message.headers['compression']))
    return undefined
  const body = ZLIB_COMPRESSOR.compress(message.body)
  if (body.byteLength >= message.body.byteLength) return undefined
  const headers = { ...message.headers, compression: ZLIB_COMPRESSOR.contentType }
  return { ...rest, message: { ...message, headers, body } }
}

/**
 * A dead letter whose task's headers are at the beginning of its body, as JSON; `undefined` where they are few. Brokers take
 * less in headers than in a body.
 */
export function packedLetter({ message, ...rest }: Outgoing): Outgoing | undefined {
  const kept = Object.entries(message.headers).filter(
    ([name]) => name.startsWith(PREFIX) || SHOWN.includes(name),
  )
  const packed = Buffer.from(JSON.stringify(withoutOwn(message.headers), withoutBigInt))
  if (packed.byteLength < WORTH_PACKING || PACKED in message.headers) return undefined
  const headers = { ...Object.fromEntries(kept), [PACKED]: packed.byteLength }
  return { ...rest, message: { ...message, headers, body: Buffer.concat([packed, message.body]) } }
}

/** The message of a letter, with its task's headers where they were before they were packed. */
function unpacked(message: Message): Message {
  const { headers, body } = message
  const length = headers[PACKED]
  if (typeof length !== 'number') return message
  const packed = parsedJson(Buffer.from(body.subarray(0, length)).toString())
  if (!isRecord(packed)) return message
  return { ...message, headers: { ...headers, ...packed }, body: body.subarray(length) }
}

function withoutBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}

/** Read a dead letter. One that somebody else put into the queue has the reason `unknown`. */
export function readDeadLetter(delivery: Delivery): DeadLetter {
  const message = unpacked(delivery.message)
  const { headers } = message
  const queue = text(headers[`${PREFIX}queue`]) || delivery.queue.slice(0, -SUFFIX.length)
  const routingKey = text(headers[`${PREFIX}routing-key`])
  const exchange = text(headers[`${PREFIX}exchange`])
  const at = Date.parse(text(headers[`${PREFIX}at`]))
  return {
    id: text(headers['id']) || (message.properties.correlationId ?? ''),
    task: text(headers['task']),
    reason: text(headers[`${PREFIX}reason`]) || 'unknown',
    detail: text(headers[`${PREFIX}detail`]),
    queue,
    route:
      routingKey === '' && exchange === '' ? { exchange: '', routingKey: queue } : { exchange, routingKey },
    deliveries: Number(headers[`${PREFIX}deliveries`] ?? 0),
    atMs: Number.isNaN(at) ? undefined : at,
    message: { ...message, headers: withoutOwn(headers), properties: sendersOwn(message) },
  }
}

function withoutOwn(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(headers).filter(
    ([name]) => !OWN_PREFIXES.some((prefix) => name.startsWith(prefix)),
  )
  return Object.fromEntries(kept)
}

/** A dead letter stays as long as its worker says, whatever its sender said, and the oldest comes first. */
function lettersOwn(properties: MessageProperties, expiresMs = Number.POSITIVE_INFINITY): MessageProperties {
  const { expirationMs: _expiration, priority: _priority, ...kept } = properties
  const expirationMs = expiresMs <= MOST_EXPIRATION_MS ? { expirationMs: expiresMs } : {}
  return { ...kept, ...expirationMs, persistent: true }
}

function sendersOwn({ headers, properties }: Message): MessageProperties {
  const { expirationMs: _letters, ...kept } = properties
  const priority = headers[`${PREFIX}priority`]
  return typeof priority === 'number' ? { ...kept, priority } : kept
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
