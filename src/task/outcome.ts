import type { ErrorDescription } from '../message/error-details.js'
import type { RetryRequest } from '../errors/directives.js'

/** A failure in a form that crosses threads. */
export interface Failure {
  /** Celery's `exc_type`, `exc_message`, `exc_module`. */
  readonly exception: ErrorDescription
  /** Text in Python's form, with the JavaScript stack. */
  readonly traceback: string
  /** One line for logs. */
  readonly message: string
  /** The error itself, where the task ran in this thread. */
  readonly error?: unknown
}

/** A retry that was granted: what was asked for, with its delay resolved. */
export interface GrantedRetry extends RetryRequest {
  /** Delay before the next try, in milliseconds; absent when `etaMs` is given. */
  readonly countdownMs?: number
  /** What made the task retry. */
  readonly failure: Failure
}

/** What every run leaves behind. */
export interface Ran {
  /** Celery's result tuples of the tasks that the run sent. */
  readonly children: readonly unknown[]
}

/** How a run ended. Plain data: it crosses threads and processes. */
export type Outcome = Ran &
  (
    | { readonly kind: 'success'; readonly value: unknown }
    /** `expected` failures (`throws`) are logged without a stack. */
    | { readonly kind: 'failure'; readonly failure: Failure; readonly expected: boolean }
    | { readonly kind: 'retry'; readonly retry: GrantedRetry }
    | { readonly kind: 'ignore'; readonly reason: string | undefined }
    | { readonly kind: 'reject'; readonly reason: string | undefined; readonly requeue: boolean }
  )
