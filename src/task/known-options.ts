import { TaskError } from '../errors/errors.js'
import { suggest } from '../util/suggest.js'
import { withoutNulls } from '../util/without-nulls.js'
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
  checkNames(options, TASK_OPTIONS, `the task ${name}`)
  checkPriority(options.priority, name)
}

/** Refuse the names of options that are not known. @throws {@link TaskError} with the name that was probably meant. */
export function checkNames(options: object, known: object, what: string): void {
  for (const option of Object.keys(options)) {
    if (Object.hasOwn(known, option)) continue
    const near = suggest(option, Object.keys(known))
    const hint = near === undefined ? '' : `; did you mean "${near}"?`
    throw new TaskError(`unknown option "${option}" for ${what}${hint}`)
  }
}

/** Refuse priorities that no broker has. @throws {@link TaskError} */
export function checkPriority(priority: number | undefined, name: string): void {
  if (priority === undefined) return
  if (Number.isInteger(priority) && priority >= LEAST_PRIORITY && priority <= MOST_PRIORITY) return
  throw new TaskError(`expected the priority of ${name} to be 0 to 9 (255 on RabbitMQ), got: ${priority}`)
}
