import { TaskError } from '../errors/errors.js'
import { suggest } from '../util/suggest.js'
import type { CallOptions } from './call-options.js'
import type { TaskOptions } from './options.js'

/** Names of the options of a task, all of them: the compiler sees to it. */
const TASK_OPTIONS = {
  beforeStart: true,
  onSuccess: true,
  onRetry: true,
  onFailure: true,
  afterReturn: true,
  name: true,
  params: true,
  args: true,
  result: true,
  typing: true,
  maxRetries: true,
  defaultRetryDelay: true,
  autoretryFor: true,
  dontAutoretryFor: true,
  retryBackoff: true,
  retryBackoffMax: true,
  retryJitter: true,
  retryKwargs: true,
  throws: true,
  acksLate: true,
  backend: true,
  acksOnFailure: true,
  acksOnTimeout: true,
  ignoreResult: true,
  storeErrorsEvenIfIgnored: true,
  trackStarted: true,
  softTimeLimit: true,
  timeLimit: true,
  queue: true,
  exchange: true,
  routingKey: true,
  priority: true,
  expires: true,
  serializer: true,
  compression: true,
  rateLimit: true,
  shared: true,
  replace: true,
} satisfies Record<keyof TaskOptions, true>

/** Names of the options of a call. */
const CALL_OPTIONS = {
  countdown: true,
  eta: true,
  expires: true,
  taskId: true,
  queue: true,
  exchange: true,
  routingKey: true,
  priority: true,
  headers: true,
  link: true,
  linkError: true,
  serializer: true,
  compression: true,
  retry: true,
  retryPolicy: true,
  ignoreResult: true,
  timeLimit: true,
  softTimeLimit: true,
  shadow: true,
  argsRepr: true,
  kwargsRepr: true,
  replyTo: true,
  persistent: true,
  properties: true,
  rootId: true,
  parentId: true,
  addToParent: true,
  groupId: true,
  groupIndex: true,
  stamps: true,
  delay: true,
} satisfies Record<keyof CallOptions, true>

const LEAST_PRIORITY = 0
const MOST_PRIORITY = 255

/**
 * Refuse what no option is called.
 *
 * @throws {@link TaskError} with the name that was probably meant.
 */
export function checkTaskOptions(options: TaskOptions, name: string): void {
  checkNames(options, TASK_OPTIONS, `the task ${name}`)
  checkPriority(options.priority, name)
}

/**
 * Refuse what no option of a call is called, and priorities that no broker has.
 *
 * @throws {@link TaskError}
 */
export function checkCallOptions(options: CallOptions, name: string): void {
  checkNames(options, CALL_OPTIONS, `the call of ${name}`)
  checkPriority(options.priority, name)
}

function checkNames(options: object, known: object, what: string): void {
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue
    const near = suggest(option, Object.keys(known))
    const hint = near === undefined ? '' : `; did you mean "${near}"?`
    throw new TaskError(`unknown option "${option}" for ${what}${hint}`)
  }
}

function checkPriority(priority: number | undefined, name: string): void {
  if (priority === undefined) return
  if (Number.isInteger(priority) && priority >= LEAST_PRIORITY && priority <= MOST_PRIORITY) return
  throw new TaskError(`expected the priority of ${name} to be 0 to 9 (255 on RabbitMQ), got: ${priority}`)
}
