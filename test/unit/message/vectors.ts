import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Message } from '../../../src/message/message.js'
import { isRecord } from '../../../src/util/record.js'

/** A recorded message, and where it was recorded. */
export interface RecordedMessage {
  readonly file: string
  readonly message: Message
}

/** The folder of recorded messages, above the compiled test. */
function vectorsFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'test', 'vectors', 'README.md'))) folder = dirname(folder)
  return join(folder, 'test', 'vectors')
}

/** One parsed file. */
export function readVector(path: string): Record<string, unknown> {
  const value: unknown = JSON.parse(readFileSync(join(vectorsFolder(), path), 'utf8'))
  return record(value)
}

/** Every file of a folder, by name. */
export function readVectors(folder: string): ReadonlyMap<string, Record<string, unknown>> {
  const names = readdirSync(join(vectorsFolder(), folder))
  return new Map(names.map((name) => [name.replace('.json', ''), readVector(`${folder}/${name}`)]))
}

/** All task messages of `redis-messages` or `amqp-messages`. */
export function recordedMessages(folder: string): readonly RecordedMessage[] {
  return [...readVectors(folder)].flatMap(([file, vector]) =>
    [...redisMessages(vector), ...amqpMessages(vector)].map((message) => ({ file, message })),
  )
}

/** The value as an object, else an error of the test. */
export function record(value: unknown): Record<string, unknown> {
  if (isRecord(value)) return value
  throw new TypeError('a vector has another form than expected')
}

/** The value as an array, else an error of the test. */
export function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new TypeError('a vector has another form than expected')
}

/** The value as a text, else an error of the test. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError('a vector has another form than expected')
}

function redisMessages(vector: Record<string, unknown>): Message[] {
  const keys = Object.values(record(vector['redis_broker_db'] ?? {})).map(record)
  return keys
    .filter((key) => key['type'] === 'list')
    .flatMap((key) => list(key['items_left_to_right']))
    .map((item) => fromEnvelope(record(JSON.parse(text(record(item)['raw'])))))
}

function fromEnvelope(envelope: Record<string, unknown>): Message {
  return {
    body: Buffer.from(text(envelope['body']), 'base64'),
    contentType: text(envelope['content-type']),
    contentEncoding: text(envelope['content-encoding']),
    headers: record(envelope['headers']),
    properties: properties(record(envelope['properties'])),
  }
}

function amqpMessages(vector: Record<string, unknown>): Message[] {
  return list(vector['messages'] ?? [])
    .map(record)
    .map((message) => {
      const wire = record(message['properties'])
      const body = message['body_utf8']
      return {
        body:
          typeof body === 'string' ? Buffer.from(body) : Buffer.from(text(record(body)['base64']), 'base64'),
        contentType: text(wire['content_type']),
        contentEncoding: text(wire['content_encoding']),
        headers: record(message['headers']),
        properties: properties(wire),
      }
    })
}

function properties(wire: Record<string, unknown>): Message['properties'] {
  return {
    correlationId: text(wire['correlation_id']),
    replyTo: text(wire['reply_to']),
    priority: Number(wire['priority']),
    ...(wire['expiration'] === undefined ? {} : { expirationMs: Number(wire['expiration']) }),
  }
}
