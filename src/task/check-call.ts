import { isWireSignature, readPlainOptions } from '../canvas/wire-options.js'
import { TaskError } from '../errors/errors.js'
import type { WireSignature } from '../message/task-message.js'
import { toMs, type DurationInput } from '../util/duration.js'
import type { CallOptions, SignatureLike } from './call-options.js'
import { checkPriority } from './known-options.js'
import type { TaskCall } from './sender.js'
import { refuseUnknown } from '../util/known-members.js'
import { isRecord } from '../util/record.js'
import { isPlainObject, printed } from '../util/shown.js'
import { withoutNulls } from '../util/without-nulls.js'

/** What an option has to be, for the error; `undefined` when it is that. A length of time that is none throws by itself. */
type Check = (value: unknown, option: string) => string | undefined

const anything: Check = () => undefined
const text: Check = (value) => (typeof value === 'string' ? undefined : 'a string')
const name: Check = (value) => (isName(value) ? undefined : 'a string that is not empty')
const object: Check = (value) => (isPlainObject(value) ? undefined : 'a plain object')
const moment: Check = (value) => (isMoment(value) ? undefined : 'a valid Date')
const length: Check = (value, option) => {
  toMs(asLength(value), option)
  return undefined
}
const links: Check = (value) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.every(isLink) ? undefined : 'a signature or a list of signatures'
}
const groupIndex: Check = (value) =>
  Number.isInteger(value) && Number(value) >= 0 ? undefined : 'a whole number, 0 or more'
const limit: Check = (value, option) => (toMs(asLength(value), option) >= 0 ? undefined : '0 or more')

/** The options of a call, all of them, and what each has to be. */
const CHECKS: Record<keyof CallOptions, Check> = {
  countdown: length,
  eta: moment,
  expires: (value, option) => (value instanceof Date ? moment : length)(value, option),
  taskId: name,
  queue: name,
  exchange: text,
  routingKey: text,
  priority: anything,
  headers: object,
  link: links,
  linkError: links,
  serializer: text,
  compression: text,
  retry: anything,
  retryPolicy: anything,
  ignoreResult: anything,
  timeLimit: limit,
  softTimeLimit: limit,
  shadow: text,
  argsRepr: text,
  kwargsRepr: text,
  replyTo: text,
  persistent: anything,
  properties: object,
  rootId: text,
  parentId: text,
  addToParent: anything,
  groupId: text,
  groupIndex,
  stamps: object,
  delay: anything,
}
const CHECK_OF: ReadonlyMap<string, Check> = new Map(Object.entries(CHECKS))

/**
 * Refuse a call that no worker could run.
 *
 * @throws {@link TaskError} that names what is wrong; `ConfigError` for a length of time that is none.
 */
export function checkTaskCall(call: TaskCall): void {
  checkParts(call.name, call.args, call.kwargs)
  checkCallOptions(call.options, call.name)
}

function checkParts(task: unknown, args: unknown, kwargs: unknown): void {
  if (!isName(task)) throw new TaskError(`expected the name of a task, got: ${printed(task)}`)
  if (!Array.isArray(args)) throw refused('args', task, 'an array', args)
  if (!isPlainObject(kwargs)) throw refused('kwargs', task, 'a plain object', kwargs)
}

/**
 * Refuse what no option of a call is called, and values that an option cannot have.
 *
 * @throws {@link TaskError}; `ConfigError` for a length of time that is none.
 */
export function checkCallOptions(options: CallOptions, task: string): void {
  refuseUnknown(options, CHECKS, `the call of ${task}`, TaskError)
  checkPriority(options.priority, task)
  for (const [option, value] of Object.entries(options)) {
    const expected = value === undefined ? undefined : CHECK_OF.get(option)?.(value, option)
    if (expected !== undefined) throw refused(option, task, expected, value)
  }
  const { timeLimit, softTimeLimit } = options
  if (timeLimit !== undefined && softTimeLimit !== undefined) checkLimits(timeLimit, softTimeLimit, task)
}

/**
 * Refuse what a route cannot say of a call.
 *
 * @param what - The route as the error names it.
 * @throws {@link TaskError}
 */
export function checkRouteOptions(options: object, what: string): void {
  refuseUnknown(options, CHECKS, what, TaskError)
}

/** Whether it can be called. @throws `TaskError` for a plain signature that no worker could run. */
function isLink(link: unknown): boolean {
  if (!isRecord(link)) return false
  if (isSignatureLike(link)) return isWireSignature(link.toJSON())
  if (!isWireSignature(link)) return false
  checkPlainSignature(link, link.task)
  return true
}

function isSignatureLike(link: object): link is SignatureLike {
  return 'toJSON' in link && typeof link.toJSON === 'function'
}

function checkPlainSignature(signature: Partial<WireSignature>, task: string): void {
  const { args = [], kwargs = {}, options = {} } = signature
  checkParts(task, args, kwargs)
  if (!isPlainObject(options)) throw refused('options', task, 'a plain object', options)
  checkCallOptions(readPlainOptions(signature, task), task)
  const { link, link_error: linkError } = options
  for (const [option, value] of Object.entries(withoutNulls({ link, linkError }))) {
    const expected = value === undefined ? undefined : links(value, option)
    if (expected !== undefined) throw refused(option, task, expected, value)
  }
}

/** @source Celery 5.7, `celery/app/task.py`, `Task.apply_async`. */
function checkLimits(hard: DurationInput, soft: DurationInput, task: string): void {
  const hardMs = toMs(hard, 'timeLimit')
  if (hardMs > 0 && toMs(soft, 'softTimeLimit') > hardMs) {
    throw new TaskError(`the soft time limit of the call of ${task} is longer than its hard one`)
  }
}

function refused(what: string, task: string, expected: string, value: unknown): TaskError {
  return new TaskError(`expected ${what} of the call of ${task} to be ${expected}, got: ${printed(value)}`)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isMoment(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

/** Its shape is checked by {@link toMs}. */
function asLength(value: unknown): DurationInput {
  return isLength(value) ? value : Number.NaN
}

function isLength(value: unknown): value is DurationInput {
  return typeof value === 'number' || (typeof value === 'object' && value !== null)
}
