import type { Codecs } from './codecs.js'
import { taskProperties, timeLimits, timeText } from './encode-task.js'
import type { Message } from './message.js'
import type { OutgoingTask } from './task-message.js'

/**
 * Write a task as a message of protocol 1, where the body holds everything; for workers older than Celery 4.
 *
 * It has no chain, parent, root or stamps: they are left out.
 *
 * @throws EncodeError naming the path of a value that cannot be written.
 * @source Celery 5.7, `celery/app/amqp.py`, `as_task_v1`.
 */
export function encodeTaskV1(task: OutgoingTask, codecs: Codecs, nowMs?: number): Message {
  const serializer = codecs.serializers.get(task.serializer)
  const encoded = serializer.encode({
    task: task.task,
    id: task.id,
    args: task.args,
    kwargs: task.kwargs,
    group: task.groupId ?? null,
    group_index: task.groupIndex ?? null,
    retries: task.retries,
    eta: timeText(task.etaMs, 'eta'),
    expires: timeText(task.expiresMs, 'expires'),
    utc: true,
    callbacks: task.embed.callbacks,
    errbacks: task.embed.errbacks,
    timelimit: timeLimits(task),
    taskset: task.groupId ?? null,
    chord: task.embed.chord,
  })
  const headers: Record<string, unknown> = { ...task.headers }
  let body = typeof encoded === 'string' ? Buffer.from(encoded, 'utf8') : encoded
  if (task.compression !== undefined) {
    const compressor = codecs.compressors.get(task.compression)
    body = compressor.compress(body)
    headers['compression'] = compressor.contentType
  }
  const { contentType, contentEncoding } = serializer
  return { body, contentType, contentEncoding, headers, properties: taskProperties(task, nowMs) }
}
