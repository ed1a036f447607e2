import { AsyncLocalStorage } from 'node:async_hooks'

import type { Retry } from '../errors/directives.js'
import type { DurationInput } from '../util/duration.js'
import type { TaskLogger } from './logger.js'
import type { TaskRequest } from './request.js'

/** What `self.retry` may be told. */
export interface RetryOptions {
  /** Delay before the next try. */
  readonly countdown?: DurationInput
  /** Moment of the next try; in place of `countdown`. */
  readonly eta?: Date
  /** What made the task retry; thrown when the retries are used up. The error being handled, if not given. */
  readonly exc?: unknown
  /** New positional arguments. */
  readonly args?: readonly unknown[]
  /** New keyword arguments. */
  readonly kwargs?: Readonly<Record<string, unknown>>
  /** Limit for this call. */
  readonly maxRetries?: number
  /** Another queue. */
  readonly queue?: string
  /** Another priority. */
  readonly priority?: number
}

/** A state of the user's own. */
export interface StateUpdate {
  /** For example `PROGRESS`. */
  readonly state: string
  /** Stored as the result of the state; must be serializable. */
  readonly meta?: unknown
}

/** What a bound body receives as its first argument, and {@link currentTask} anywhere below it. */
export interface TaskContext {
  /** The task's name. */
  readonly name: string
  readonly request: TaskRequest
  /** Aborts on a soft or hard time limit, a lost lease and the end of the shutdown's grace; see its `reason`. */
  readonly signal: AbortSignal
  /** Log lines that carry the task's name and id. */
  readonly logger: TaskLogger
  /**
   * Make the directive that retries this task: `throw self.retry({ countdown: 10 })`.
   *
   * Nothing is sent here; the worker publishes. When the retries are used up the task fails with `exc`.
   */
  readonly retry: (options?: RetryOptions) => Retry
  /** Store a state of the user's own. Does nothing for a task that ignores results. */
  readonly updateState: (update: StateUpdate) => Promise<void>
}

const storage = new AsyncLocalStorage<TaskContext>()

/** The context of the task that this code runs in, through any number of awaits; `undefined` outside of tasks. */
export function currentTask(): TaskContext | undefined {
  return storage.getStore()
}

/** Run `body` with `context` as the current task. */
export function withContext<Value>(context: TaskContext, body: () => Value): Value {
  return storage.run(context, body)
}
