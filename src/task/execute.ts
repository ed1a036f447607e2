import { Directive, Ignore, Reject, Retry, type RetryRequest } from '../errors/directives.js'
import { LovageError, MaxRetriesError } from '../errors/errors.js'
import { describeError } from '../message/error/describe-error.js'
import type { ErrorDescription } from '../message/error-details.js'
import { pythonRepr } from '../message/python-repr.js'
import { formatTraceback } from '../message/error/traceback.js'
import { toError } from '../util/to-error.js'
import { bindArguments, validate, validateArguments } from './arguments.js'
import { withContext } from './context.js'
import type { TaskDefinition } from './definition.js'
import type { TaskLogger } from './logger.js'
import type { Handler, HandlerEvent, TaskOptions, ErrorMatcher } from './options.js'
import type { Failure, Outcome } from './outcome.js'
import type { TaskPort } from './port.js'
import type { TaskRequest } from './request.js'
import { RunningTask } from './running-task.js'
import { backoffMs } from '../util/backoff.js'
import { toMs } from '../util/duration.js'
import { withoutNulls } from '../util/without-nulls.js'

/**
 * Run one task: bind and check its arguments, call the body in its context, and say how it ended.
 *
 * Knows no broker and no backend; publishing and storing is up to whoever asked. Never rejects.
 */
export async function executeTask(
  definition: TaskDefinition,
  request: TaskRequest,
  port: TaskPort,
): Promise<Outcome> {
  const running = new RunningTask(definition.name, request, port)
  try {
    const value = await withContext(running, () => runBody(definition, running))
    return { kind: 'success', value, children: running.children }
  } catch (thrown) {
    return toOutcomeOrFailure(thrown, definition, running, port)
  }
}

/** Matchers, getters of errors and option values are user code too: what they throw is a failure like any other. */
function toOutcomeOrFailure(
  thrown: unknown,
  definition: TaskDefinition,
  running: RunningTask,
  port: TaskPort,
): Outcome {
  try {
    return toOutcome(thrown, definition, running, port)
  } catch (broken) {
    return { kind: 'failure', failure: plainFailure(broken), expected: false, children: running.children }
  }
}

/** A failure of which nothing is asked that could throw. */
function plainFailure(error: unknown): Failure {
  const text = 'the error of the task could not be described'
  const exception = { exc_type: 'Error', exc_message: [text], exc_module: 'lovage.errors' }
  return { exception, traceback: `Error: ${text}\n`, message: `Error: ${text}`, error: toError(error) }
}

function runBody(definition: TaskDefinition, running: RunningTask): unknown {
  const { options } = definition
  const args = bindArguments(definition, running.request.args, running.request.kwargs)
  if (options.beforeStart === undefined && options.args === undefined && options.result === undefined) {
    return definition.body(running, args)
  }
  return runCheckedBody(definition, running, args)
}

async function runCheckedBody(
  definition: TaskDefinition,
  running: RunningTask,
  args: readonly unknown[],
): Promise<unknown> {
  const checked = await validateArguments(definition, args)
  await definition.options.beforeStart?.({
    request: running.request,
    state: 'STARTED',
    value: undefined,
    error: undefined,
  })
  const value = await definition.body(running, checked)
  const schema = definition.options.result
  return schema === undefined ? value : validate(schema, value, `the result of ${definition.name}`)
}

function toOutcome(
  thrown: unknown,
  definition: TaskDefinition,
  running: RunningTask,
  port: TaskPort,
): Outcome {
  const { children } = running
  if (thrown instanceof Ignore) return { kind: 'ignore', reason: thrown.reason, children }
  if (thrown instanceof Reject)
    return { kind: 'reject', reason: thrown.reason, requeue: thrown.requeue, children }
  const decision = decide(thrown, definition, running.request)
  if (decision.granted) {
    const failure = toFailure(decision.cause, port)
    return { kind: 'retry', retry: { ...decision.request, failure }, children }
  }
  const expected = matchesAny(decision.error, definition.options.throws)
  return { kind: 'failure', failure: toFailure(decision.error, port), expected, children }
}

function decide(thrown: unknown, definition: TaskDefinition, request: TaskRequest): RetryDecision {
  if (thrown instanceof Retry) return decideRetry(thrown, definition, request)
  // An argument that does not fit today will not fit after a retry.
  if (thrown instanceof LovageError && thrown.code === 'LOVAGE_TASK_ARGUMENTS')
    return { granted: false, error: thrown }
  return decideAutoretry(thrown, definition, request)
}

/** Describe an error in a form that crosses threads and languages. Never throws. */
export function toFailure(error: unknown, port: Pick<TaskPort, 'errors'>): Failure {
  try {
    return describedFailure(error, port)
  } catch {
    return plainFailure(error)
  }
}

function describedFailure(error: unknown, port: Pick<TaskPort, 'errors'>): Failure {
  const exception = error instanceof Directive ? describeRetry() : describeError(error, port.errors)
  return { exception, traceback: formatTraceback(error), message: printException(exception), error }
}

/** What Celery stores for a retry without a cause. */
function describeRetry(): ErrorDescription {
  return {
    exc_type: 'Retry',
    exc_message: ['Task can be retried', null, null],
    exc_module: 'celery.exceptions',
  }
}

function printException(exception: ErrorDescription): string {
  return `${exception.exc_type}: ${exception.exc_message.map(shownArgument).join(', ')}`
}

function shownArgument(value: unknown): string {
  return typeof value === 'object' && value !== null ? pythonRepr(value) : String(value)
}

/** Whether anything has to be called after the outcome was stored. */
export function hasHandlers(definition: TaskDefinition): boolean {
  const { onSuccess, onRetry, onFailure, afterReturn } = definition.options
  return (onSuccess ?? onRetry ?? onFailure ?? afterReturn) !== undefined
}

/**
 * Call the handlers of a task after its outcome was stored. An error in one is logged and changes nothing.
 *
 * @source Celery 5.7, `celery/app/trace.py`: the order store, `on_success`, `after_return`.
 */
export async function runHandlers(
  definition: TaskDefinition,
  request: TaskRequest,
  outcome: Outcome,
  logger: TaskLogger,
): Promise<void> {
  const event = toEvent(request, outcome)
  if (event === undefined) return
  for (const handler of handlersFor(definition, event.state)) {
    try {
      await handler(event)
    } catch (error) {
      logger.error({ err: error, task: definition.name, id: request.id }, 'a handler of the task failed')
    }
  }
}

function toEvent(request: TaskRequest, outcome: Outcome): HandlerEvent | undefined {
  switch (outcome.kind) {
    case 'success':
      return { request, state: 'SUCCESS', value: outcome.value, error: undefined }
    case 'failure':
      return {
        request,
        state: 'FAILURE',
        value: undefined,
        error: outcome.failure.error ?? outcome.failure.exception,
      }
    case 'retry':
      return {
        request,
        state: 'RETRY',
        value: undefined,
        error: outcome.retry.failure.error ?? outcome.retry.failure.exception,
      }
    case 'ignore':
    case 'reject':
      return undefined
  }
}

function handlersFor(definition: TaskDefinition, state: string): readonly Handler[] {
  const { onSuccess, onRetry, onFailure, afterReturn } = definition.options
  const chosen =
    state === 'SUCCESS'
      ? [onSuccess, afterReturn]
      : state === 'FAILURE'
        ? [onFailure, afterReturn]
        : [onRetry]
  return chosen.filter((handler) => handler !== undefined)
}

const DEFAULT_RETRY_DELAY_MS = 180_000
const DEFAULT_MAX_RETRIES = 3
const DEFAULT_BACKOFF_MAX_MS = 600_000

/** Whether a task runs again, and what it fails with when it does not. */
type RetryDecision =
  | { readonly granted: true; readonly request: RetryRequest; readonly cause: unknown }
  | { readonly granted: false; readonly error: unknown }

/**
 * Decide on a retry that the body asked for.
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task.retry`.
 */
function decideRetry(retry: Retry, definition: TaskDefinition, request: TaskRequest): RetryDecision {
  const asked = retry.request
  const limit = asked.maxRetries ?? limitOf(definition.options)
  const exhausted = (): MaxRetriesError => exhaustedError(definition, request)
  if (request.retries >= limit) return { granted: false, error: asked.cause ?? exhausted() }
  const delayed = asked.etaMs !== undefined || asked.countdownMs !== undefined
  const next = delayed ? asked : { ...asked, countdownMs: defaultDelayMs(definition.options) }
  return { granted: true, request: next, cause: asked.cause ?? retry }
}

/**
 * Decide on an error that the body threw: a retry if `autoretryFor` names it and tries are left.
 *
 * @source Celery 5.7, `celery/app/autoretry.py`.
 */
function decideAutoretry(error: unknown, definition: TaskDefinition, request: TaskRequest): RetryDecision {
  const { options } = definition
  if (!matchesAny(error, options.autoretryFor) || matchesAny(error, options.dontAutoretryFor))
    return { granted: false, error }
  const limit = withoutNulls(options.retryKwargs).maxRetries ?? limitOf(options)
  if (request.retries >= limit) return { granted: false, error }
  return {
    granted: true,
    request: { countdownMs: autoretryDelayMs(options, request.retries), cause: error },
    cause: error,
  }
}

/** @source Celery 5.7, `celery/app/task.py`, `Task.max_retries`: `None` is no limit. */
function limitOf({ maxRetries = DEFAULT_MAX_RETRIES }: TaskOptions): number {
  return maxRetries ?? Number.POSITIVE_INFINITY
}

function exhaustedError(definition: TaskDefinition, request: TaskRequest): MaxRetriesError {
  return new MaxRetriesError(`can't retry ${definition.name}[${request.id}]: all retries are used up`)
}

function defaultDelayMs(options: TaskOptions): number {
  return options.defaultRetryDelay === undefined
    ? DEFAULT_RETRY_DELAY_MS
    : toMs(options.defaultRetryDelay, 'defaultRetryDelay')
}

function autoretryDelayMs(options: TaskOptions, retries: number): number {
  const backoff = options.retryBackoff
  if (backoff === undefined || backoff === false) {
    const { countdown } = withoutNulls(options.retryKwargs)
    return countdown === undefined ? defaultDelayMs(options) : toMs(countdown, 'countdown')
  }
  const firstMs = (backoff === true ? 1 : backoff) * 1000
  const maxMs =
    options.retryBackoffMax === undefined
      ? DEFAULT_BACKOFF_MAX_MS
      : toMs(options.retryBackoffMax, 'retryBackoffMax')
  return backoffMs(retries, { firstMs, maxMs, jitter: options.retryJitter === false ? 0 : 1 })
}

/** Whether any of the matchers names this error. */
function matchesAny(error: unknown, matchers: readonly ErrorMatcher[] | undefined): boolean {
  return matchers?.some((matcher) => matches(error, matcher)) ?? false
}

function matches(error: unknown, matcher: ErrorMatcher): boolean {
  if (typeof matcher === 'string') return namesOf(error).includes(matcher)
  if (isErrorClass(matcher)) return error instanceof matcher
  return matcher(error)
}

/** A class is told from a predicate by its prototype: only error classes inherit from `Error`. */
function isErrorClass(
  matcher: Exclude<ErrorMatcher, string>,
): matcher is Extract<ErrorMatcher, abstract new (...args: never[]) => unknown> {
  return (
    matcher === Error ||
    matcher.prototype instanceof Error ||
    /^class\b/.test(Function.prototype.toString.call(matcher))
  )
}

function namesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return []
  const names = [error.name]
  for (
    let proto: unknown = error;
    proto !== null && proto !== undefined;
    proto = Object.getPrototypeOf(proto)
  ) {
    if (typeof proto === 'object') names.push(proto.constructor.name)
  }
  return names
}
