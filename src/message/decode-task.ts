import { MessageError } from '../errors/errors.js'
import { isRecord } from '../util/record.js'
import type { Codecs } from './codecs.js'
import { isEmpty, readEmbed } from './embed.js'
import type { Message } from './message.js'
import type { AcceptedContent } from './serializer/serializer-registry.js'
import { readTask, type TaskSource } from './read-task.js'
import type { TaskMessage } from './task-message.js'

/**
 * Read a task from a message of protocol 2, protocol 1, or the mixture of both.
 *
 * As tolerant as Python: only the headers `task` and `id` are needed.
 *
 * @throws ContentDisallowedError, DecodeError or MessageError, never anything else.
 * @source Celery 5.6, `celery/worker/strategy.py`, `proto1_to_proto2` and `hybrid_to_proto2`.
 */
export function decodeTask(message: Message, codecs: Codecs, accepted: AcceptedContent): TaskMessage {
  refuseBare(message, accepted)
  const body = decodeBody(message, codecs, accepted)
  return readTask(sourceOf(message, body))
}

/** What other programs put into a queue without an envelope has no headers, and a content type that says nothing. */
function refuseBare({ contentType, headers }: Message, accepted: AcceptedContent): void {
  if (contentType !== 'application/octet-stream' || 'task' in headers || accepted.has(contentType)) return
  throw new MessageError('it is no message of Celery: it has no envelope, or one without a content type')
}

function decodeBody(message: Message, codecs: Codecs, accepted: AcceptedContent): unknown {
  const { compression } = message.headers
  if (isEmpty(compression)) return codecs.decode(message.body, message, accepted)
  if (typeof compression !== 'string') throw new MessageError('the header compression is not a text')
  // Refused content is not even decompressed.
  codecs.serializers.reader(message.contentType, accepted)
  const body = codecs.compressors.decompress(compression, message.body)
  return codecs.decode(body, message, accepted)
}

function sourceOf(message: Message, body: unknown): TaskSource {
  const { headers } = message
  if (Array.isArray(body)) return protocol2Source(message, body)
  if (!isRecord(body)) throw new MessageError('the body is neither an array of three nor an object')
  if (!('task' in headers)) {
    if (!('task' in body)) {
      throw new MessageError('it is no message of Celery: neither its headers nor its body name a task')
    }
    return { ...bodySource(body), message, headers: { ...body, group: body['taskset'] ?? body['group'] } }
  }
  if (!('args' in body)) throw new MessageError('the body is an object without args')
  return { ...bodySource(body), message, headers: { ...body, ...headers } }
}

function protocol2Source(message: Message, body: readonly unknown[]): TaskSource {
  const { headers } = message
  if (!('task' in headers)) throw new MessageError('the message has no task header')
  if (body.length !== 3) {
    throw new MessageError(
      `the body is not an array of args, kwargs and embed, but of ${body.length} elements`,
    )
  }
  return { headers, args: body[0], kwargs: body[1], embed: readEmbed(body[2]), isNaiveLocal: false, message }
}

function bodySource(body: Record<string, unknown>): Omit<TaskSource, 'headers' | 'message'> {
  const { args = [], kwargs = {}, callbacks, errbacks, chord, utc } = body
  return { args, kwargs, embed: readEmbed({ callbacks, errbacks, chord }), isNaiveLocal: utc === false }
}
