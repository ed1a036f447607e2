import { MessageError } from '../errors/errors.js'
import { isRecord } from '../util/record.js'
import type { Writable } from '../util/writable.js'
import { parseIsoTime } from './serializer/iso-time.js'
import type { Message } from './message.js'
import { isEmpty } from './embed.js'
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
 * As tolerant as Celery's worker: what is empty counts as missing, as PHP's `[]` where an object belongs, and a field that
 * only describes the task is passed over where it has another type.
 *
 * @throws MessageError for a field that the task cannot run without, or not run as it was asked to.
 */
export function readTask(source: TaskSource): TaskMessage {
  const { headers, args, kwargs, embed, message } = source
  if (!Array.isArray(args)) throw new MessageError('the positional arguments are not an array')
  const named = isEmpty(kwargs) ? {} : kwargs
  if (!isRecord(named)) throw new MessageError('the keyword arguments are not an object')
  const id = idOf(headers['id'])
  // One literal, then single assignments: copying an object of this size costs more than all of the checks.
  const task: Writable<TaskMessage> = {
    id,
    task: requiredText(headers['task'], 'task'),
    args,
    kwargs: named,
    embed,
    retries: countOf(headers['retries']) ?? 0,
    rootId: textOf(headers['root_id']) ?? id,
    replacedTaskNesting: countOf(headers['replaced_task_nesting']) ?? 0,
    stamps: isRecord(headers['stamps']) ? headers['stamps'] : {},
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
  if (isEmpty(timelimit)) return
  if (!Array.isArray(timelimit)) throw wrongType('timelimit', 'an array of two')
  const hard = limitOf(timelimit[0])
  if (hard !== undefined) task.timeLimitMs = hard * 1000
  const soft = limitOf(timelimit[1])
  if (soft !== undefined) task.softTimeLimitMs = soft * 1000
}

function readPlace(task: Writable<TaskMessage>, headers: Readonly<Record<string, unknown>>): void {
  const groupId = textOf(headers['group'])
  if (groupId !== undefined) task.groupId = groupId
  const groupIndex = countOf(headers['group_index'])
  if (groupIndex !== undefined) task.groupIndex = groupIndex
  const parentId = textOf(headers['parent_id'])
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

/** Clients that count their calls give numbers. */
function idOf(value: unknown): string {
  return requiredText(typeof value === 'number' || typeof value === 'bigint' ? String(value) : value, 'id')
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A number from 0, or its text. */
function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof count === 'number' && Number.isFinite(count) && count >= 0 ? count : undefined
}

/** 0 means "not set", as in Celery. */
function limitOf(value: unknown): number | undefined {
  if (isEmpty(value)) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw wrongType('timelimit', 'of numbers from 0')
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
