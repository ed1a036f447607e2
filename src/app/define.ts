import { printed } from '../util/shown.js'
import { TaskError } from '../errors/errors.js'
import { arityOf, arityOfParams } from '../task/arity.js'
import type { TaskContext } from '../task/context.js'
import type { TaskDefinition } from '../task/definition.js'
import { checkTaskOptions, givenTaskOptions } from '../task/known-options.js'
import type { TaskOptions } from '../task/options.js'
import { instanceOf, optionsOf, Task, type TaskClass } from '../task/task-class.js'
import { toMs } from '../util/duration.js'
import { isRecord } from '../util/record.js'
import { withoutNulls } from '../util/without-nulls.js'
import { callerPlace } from './caller.js'

/** Any function that can be the body of a task. */
export type AnyBody = (...args: never[]) => unknown

/** Options as `app.task` takes them: with `bind`. */
export interface DefineOptions extends TaskOptions {
  /** Give the body its context as the first argument. */
  readonly bind?: boolean
  /**
   * Class that the task is an instance of: its options and handlers hold where the task has none, and the function
   * (one with a `this`) runs on the one instance that is made of it.
   */
  readonly base?: TaskClass
}

/** What a definition takes from the app it is made on. */
export interface DefinitionHost {
  /** The app's name. */
  readonly main: string
  /** Makes the name of a task that was given none. */
  genTaskName(name: string, module: string): string
  /** The base of tasks that name none. */
  readonly Task?: TaskClass | undefined
}

/** What a call of `app.task` said; without a body it is used as a decorator. */
export interface ParsedDefinition {
  readonly options: DefineOptions
  readonly body: AnyBody | undefined
}

/** Celery's way to a name: module and function, where the module is the app. */
export function dottedName(name: string, module: string): string {
  return `${module}.${name}`
}

/** Sort out the forms of `app.task`: name, options and body, each but the body optional, in this order. */
export function parseDefinition(args: readonly unknown[]): ParsedDefinition {
  let name: string | undefined
  let options: DefineOptions = {}
  let body: AnyBody | undefined
  for (const arg of args) {
    if (typeof arg === 'string') name = arg
    else if (isBody(arg)) body = arg
    else if (isRecord(arg)) options = { ...options, ...arg }
    else throw new TaskError(`expected a name, options or a function, got: ${String(arg)}`)
  }
  return { options: name === undefined ? options : { ...options, name }, body }
}

function isBody(value: unknown): value is AnyBody {
  return typeof value === 'function'
}

/** The object whose method a body is. */
export interface MethodOwner {
  readonly receiver: object
  /** `Class.method`, for automatic names. */
  readonly localName: string
}

/**
 * Make the definition of a task.
 *
 * @throws {@link TaskError} when it has no name and cannot get one, or its options contradict each other.
 * @throws `ConfigError` when an option that is a length of time is none.
 */
export function defineTask(
  host: DefinitionHost,
  options: DefineOptions,
  body: AnyBody,
  method?: MethodOwner,
): TaskDefinition {
  const name = options.name ?? automaticName(host, localNameOf(body, method))
  if (name === '') throw new TaskError('expected the name of a task not to be empty')
  const { bind = false, base = host.Task, ...given } = options
  const own = givenTaskOptions(given)
  const receiver = method?.receiver ?? instanceOf(base)
  const taskOptions = method === undefined ? withInherited(own, receiver) : own
  const { params } = taskOptions
  checkOptions(name, taskOptions)
  return {
    name,
    ...(receiver instanceof Task ? { instance: receiver } : {}),
    options: taskOptions,
    arity: params === undefined ? arityOf(body, bind ? 1 : 0) : arityOfParams(params),
    body: toBody(body, bind, receiver),
    source: body,
    place: callerPlace() ?? 'an unknown place',
  }
}

/** The options of a base are those of the task where it says nothing; the base's name is nobody's. */
function withInherited(own: TaskOptions, instance: object | undefined): TaskOptions {
  if (!(instance instanceof Task)) return own
  const { name: _name, ...inherited } = givenTaskOptions(optionsOf(instance))
  return { ...inherited, ...own }
}

function localNameOf(body: AnyBody, method: MethodOwner | undefined): string {
  return method?.localName ?? body.name
}

function automaticName(host: DefinitionHost, localName: string): string {
  if (localName === '')
    throw new TaskError('a task made of an anonymous function needs a name: app.task("name", …)')
  return host.genTaskName(localName, host.main)
}

function toBody(body: AnyBody, bind: boolean, receiver: object | undefined): TaskDefinition['body'] {
  const call = (args: readonly unknown[]): unknown => Reflect.apply(body, receiver, args)
  return bind
    ? (self: TaskContext, args: readonly unknown[]): unknown => call([self, ...args])
    : (_self: TaskContext, args: readonly unknown[]): unknown => call(args)
}

/** Refuse what no option is called, values that no task can have and those that contradict each other. */
export function checkOptions(name: string, options: TaskOptions): void {
  const { softTimeLimit, timeLimit, maxRetries } = options
  checkDurations(name, options)
  if (softTimeLimit !== undefined && timeLimit !== undefined) {
    if (toMs(softTimeLimit, 'softTimeLimit') > toMs(timeLimit, 'timeLimit')) {
      throw new TaskError(`the soft time limit of ${name} is longer than its hard one`)
    }
  }
  if (typeof maxRetries === 'number' && (Number.isNaN(maxRetries) || maxRetries < 0)) {
    throw new TaskError(
      `expected maxRetries of ${name} to be 0 or more, or null for no limit, got: ${String(maxRetries)}`,
    )
  }
  checkTaskOptions(options, name)
}

/** A worker reads these only when a message is there, which is too late to refuse them. */
function checkDurations(name: string, options: DefineOptions): void {
  const { softTimeLimit, timeLimit, defaultRetryDelay, retryBackoffMax, expires, retryKwargs } = options
  const durations = {
    softTimeLimit,
    timeLimit,
    defaultRetryDelay,
    retryBackoffMax,
    expires,
    'retryKwargs.countdown': withoutNulls(retryKwargs).countdown,
  }
  for (const [option, value] of Object.entries(durations)) {
    if (value === undefined) continue
    const ms = toMs(value, `${option} of ${name}`)
    if (ms < 0 && option.endsWith('imeLimit'))
      throw new TaskError(`expected ${option} of ${name} to be 0 or more, got: ${printed(value)}`)
  }
}
