import { TaskError } from '../errors/errors.js'
import type { Retry } from '../errors/directives.js'
import { currentTask, type RetryOptions, type StateUpdate, type TaskContext } from './context.js'
import type { TaskHandlers, TaskOptions } from './options.js'
import type { TaskRequest } from './request.js'

/**
 * Base of tasks that are classes: write `run`, and handlers as methods; register one instance for each process.
 *
 * @example
 * ```ts
 * class Add extends Task {
 *   override readonly name = 'tasks.add'
 *   run(x: number, y: number): number {
 *     return x + y
 *   }
 * }
 * export const add = app.registerTask(new Add())
 * ```
 *
 * @source Celery 5.7, `celery/app/task.py`, `Task`.
 */
export abstract class Task {
  /** The name that travels; `<app main>.<class name>` when not set. */
  readonly name?: string
  /** Options, handlers apart. */
  readonly options?: Omit<TaskOptions, keyof TaskHandlers | 'name'>

  /** The body. */
  abstract run(...args: never[]): unknown

  /** The request of the run that this code belongs to. @throws `TaskError` outside of a run. */
  get request(): TaskRequest {
    return this.#context().request
  }

  /** Aborts on a time limit, a lost lease and the end of a shutdown's grace. */
  get signal(): AbortSignal {
    return this.#context().signal
  }

  /** Make the directive that retries the running task: `throw this.retry({ countdown: 10 })`. */
  retry(options?: RetryOptions): Retry {
    return this.#context().retry(options)
  }

  /** Store a state of the user's own for the running task. */
  async updateState(update: StateUpdate): Promise<void> {
    await this.#context().updateState(update)
  }

  #context(): TaskContext {
    const context = currentTask()
    if (context === undefined) throw new TaskError(`${this.constructor.name} is not running as a task here`)
    return context
  }
}

const HANDLERS = ['beforeStart', 'onSuccess', 'onRetry', 'onFailure', 'afterReturn'] as const

/** The options of a task class: its own, and its methods named like handlers. */
export function optionsOf(task: Task): TaskOptions {
  const handlers: Record<string, unknown> = {}
  for (const name of HANDLERS) {
    const method: unknown = Reflect.get(task, name)
    if (typeof method === 'function') handlers[name] = method.bind(task)
  }
  return { ...task.options, ...(task.name === undefined ? {} : { name: task.name }), ...handlers }
}
