import { readVectors, record, text } from './vectors.js'

/** What a client of another language once put on a broker for one call; `redis` or `amqp`. */
export interface ForeignCall {
  readonly name: string
  /** The member of the list. */
  readonly redis?: string
  readonly amqp?: AmqpCall
  /** What a worker reads of it; `undefined` for a message of another format. */
  readonly expected: Readonly<Record<string, unknown>> | undefined
}

/** A message with the properties that the client gave it, under amqplib's names. */
export interface AmqpCall {
  readonly body: Buffer
  readonly headers: Readonly<Record<string, unknown>>
  readonly properties: AmqpProperties
}

/** Properties of AMQP, as far as clients set them. */
export interface AmqpProperties {
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly replyTo?: string
}

/** Every recorded call of `test/vectors/foreign-clients`. */
export function foreignCalls(): readonly ForeignCall[] {
  return [...readVectors('foreign-clients')].map(([name, vector]) => {
    const { redis, amqp, expected } = vector
    return {
      name,
      ...(redis === undefined ? { amqp: amqpCall(record(amqp)) } : { redis: text(record(redis)['raw']) }),
      expected: expected === undefined ? undefined : record(expected),
    }
  })
}

function amqpCall({
  body_utf8: plain,
  body_base64: bytes,
  headers,
  properties,
}: Record<string, unknown>): AmqpCall {
  return {
    body: plain === undefined ? Buffer.from(text(bytes), 'base64') : Buffer.from(text(plain)),
    headers: record(headers ?? {}),
    properties: record(properties),
  }
}
