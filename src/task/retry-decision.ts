import type { Retry, RetryRequest } from '../errors/directives.js'
import { MaxRetriesError } from '../errors/errors.js'
import { backoffMs } from '../util/backoff.js'
import { toMs } from '../util/duration.js'
import { withoutNulls } from '../util/without-nulls.js'
import type { TaskDefinition } from './definition.js'
import { matchesAny } from './matching.js'
import type { TaskOptions } from './options.js'
import type { TaskRequest } from './request.js'

const DEFAULT_RETRY_DELAY_MS = 180_000
const DEFAULT_MAX_RETRIES = 3
const DEFAULT_BACKOFF_MAX_MS = 600_000

/** Whether a task runs again, and what it fails with when it does not. */
export type RetryDecision =
  | { readonly granted: true; readonly request: RetryRequest; readonly cause: unknown }
  | { readonly granted: false; readonly error: unknown }

/**
 * Decide on a retry that the body asked for.
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task.retry`.
 */
export function decideRetry(retry: Retry, definition: TaskDefinition, request: TaskRequest): RetryDecision {
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
export function decideAutoretry(
  error: unknown,
  definition: TaskDefinition,
  request: TaskRequest,
): RetryDecision {
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
