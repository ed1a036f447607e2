import { TaskError } from '../errors/errors.js'
import { refuseUnknown, type KnownMembers } from '../util/known-members.js'
import { withoutNulls } from '../util/without-nulls.js'
import type { TaskOptions } from './options.js'

/** Names of the options of a task, all of them: the compiler sees to it. */
export const TASK_OPTIONS: KnownMembers<TaskOptions> = {
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
}

const RETRY_KWARGS = { maxRetries: true, countdown: true } satisfies KnownMembers<
  NonNullable<TaskOptions['retryKwargs']>
>

const LEAST_PRIORITY = 0
const MOST_PRIORITY = 255

/** The options that are given: `null` gives none, but for `maxRetries`, where it is no limit. */
export function givenTaskOptions(options: TaskOptions): TaskOptions {
  const given = withoutNulls(options)
  return options.maxRetries === null ? { ...given, maxRetries: null } : given
}

/**
 * Refuse what no option is called.
 *
 * @throws {@link TaskError} with the name that was probably meant.
 */
export function checkTaskOptions(options: TaskOptions, name: string): void {
  refuseUnknown(options, { ...TASK_OPTIONS, bind: true, base: true }, `the task ${name}`, TaskError)
  refuseUnknown(options.retryKwargs ?? {}, RETRY_KWARGS, `retryKwargs of the task ${name}`, TaskError)
  checkPriority(options.priority, name)
}

/** Refuse priorities that no broker has. @throws {@link TaskError} */
export function checkPriority(priority: number | undefined, name: string): void {
  if (priority === undefined) return
  if (Number.isInteger(priority) && priority >= LEAST_PRIORITY && priority <= MOST_PRIORITY) return
  throw new TaskError(`expected the priority of ${name} to be 0 to 9 (255 on RabbitMQ), got: ${priority}`)
}
