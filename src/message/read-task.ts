import { MessageError } from '../errors/errors.js'
import { isRecord } from '../util/record.js'
import type { Writable } from '../util/writable.js'
import { parseIsoTime } from './iso-time.js'
import type { Message } from './message.js'
import type { Embed, TaskMessage } from './task-message.js'

/** A message taken apart, whatever its protocol: names are those of protocol 2's headers. */
export interface TaskSource {
  readonly headers: Readonly<Record<string, unknown>>
  readonly args: unknown
  readonly kwargs: unknown
  readonly embed: Embed
  /** Times without an offset are in this machine's zone; else in UTC. */
  readonly isNaiveLocal: boolean
  readonly message: Message
}

/**
 * The checked task.
 *
 * @throws MessageError for a field of the wrong type.
 */
export function readTask(source: TaskSource): TaskMessage {
  const { headers, args, kwargs, embed, message } = source
  if (!Array.isArray(args)) throw new MessageError('the positional arguments are not an array')
  if (!isRecord(kwargs)) throw new MessageError('the keyword arguments are not an object')
  const id = requiredText(headers['id'], 'id')
  // One literal, then single assignments: copying an object of this size costs more than all of the checks.
  const task: Writable<TaskMessage> = {
    id,
    task: requiredText(headers['task'], 'task'),
    args,
    kwargs,
    embed,
    retries: optionalNumber(headers['retries'], 'retries') ?? 0,
    rootId: optionalText(headers['root_id'], 'root_id') ?? id,
    replacedTaskNesting: optionalNumber(headers['replaced_task_nesting'], 'replaced_task_nesting') ?? 0,
    stamps: optionalRecord(headers['stamps'], 'stamps') ?? {},
    protocol: 'task' in message.headers ? 2 : 1,
    headers: message.headers,
    properties: message.properties,
    contentType: message.contentType,
  }
  const compression = message.headers['compression']
  if (typeof compression === 'string') task.compression = compression
  readTimes(task, source)
  readLimits(task, headers['timelimit'])
  readPlace(task, headers)
  readPresentation(task, headers)
  return task
}

function readTimes(task: Writable<TaskMessage>, { headers, isNaiveLocal }: TaskSource): void {
  const etaMs = optionalTime(headers['eta'], 'eta', isNaiveLocal)
  if (etaMs !== undefined) task.etaMs = etaMs
  const expiresMs = optionalTime(headers['expires'], 'expires', isNaiveLocal)
  if (expiresMs !== undefined) task.expiresMs = expiresMs
}

function readLimits(task: Writable<TaskMessage>, timelimit: unknown): void {
  if (timelimit === undefined || timelimit === null) return
  if (!Array.isArray(timelimit)) throw wrongType('timelimit', 'an array of two')
  const hard = optionalNumber(timelimit[0], 'timelimit')
  if (hard !== undefined) task.timeLimitMs = hard * 1000
  const soft = optionalNumber(timelimit[1], 'timelimit')
  if (soft !== undefined) task.softTimeLimitMs = soft * 1000
}

function readPlace(task: Writable<TaskMessage>, headers: Readonly<Record<string, unknown>>): void {
  const groupId = optionalText(headers['group'], 'group')
  if (groupId !== undefined) task.groupId = groupId
  const groupIndex = optionalNumber(headers['group_index'], 'group_index')
  if (groupIndex !== undefined) task.groupIndex = groupIndex
  const parentId = optionalText(headers['parent_id'], 'parent_id')
  if (parentId !== undefined) task.parentId = parentId
  const ignoreResult = headers['ignore_result']
  if (typeof ignoreResult === 'boolean') task.ignoreResult = ignoreResult
  const stampedHeaders = headers['stamped_headers']
  if (Array.isArray(stampedHeaders)) task.stampedHeaders = stampedHeaders.filter(isText)
}

/** What is only shown, so that a value of another type is passed over. */
function readPresentation(task: Writable<TaskMessage>, headers: Readonly<Record<string, unknown>>): void {
  const { shadow, origin, argsrepr, kwargsrepr } = headers
  if (typeof shadow === 'string') task.shadow = shadow
  if (typeof origin === 'string') task.origin = origin
  if (typeof argsrepr === 'string') task.argsRepr = argsrepr
  if (typeof kwargsrepr === 'string') task.kwargsRepr = kwargsrepr
}

function requiredText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw wrongType(name, 'a text')
  return value
}

function optionalText(value: unknown, name: string): string | undefined {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return undefined
  throw wrongType(name, 'a text')
}

function optionalNumber(value: unknown, name: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw wrongType(name, 'a number from 0')
  return value
}

function optionalRecord(value: unknown, name: string): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isRecord(value)) throw wrongType(name, 'an object')
  return value
}

/** AMQP can carry a time as such, which clients give as a date. */
function optionalTime(value: unknown, name: string, isNaiveLocal: boolean): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime()
  const time = typeof value === 'string' ? parseIsoTime(value) : undefined
  if (!time) throw wrongType(name, 'a time in ISO 8601')
  // Rounded up, so that nothing starts before its time.
  const epochMs = time.restUs > 0 ? time.epochMs + 1 : time.epochMs
  return time.isNaive && isNaiveLocal ? localTime(epochMs) : epochMs
}

/** The moment at which this machine's clock shows what UTC shows at `utcMs`. */
function localTime(utcMs: number): number {
  // Text without a zone is local time to Date.
  return new Date(new Date(utcMs).toISOString().slice(0, -1)).getTime()
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function wrongType(name: string, expected: string): MessageError {
  return new MessageError(`the header ${name} is not ${expected}`)
}
